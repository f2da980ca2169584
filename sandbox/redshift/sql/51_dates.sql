-- Functions of dates and times (Developer Guide, "Date and time functions"; the parts and their abbreviations: "Date parts
-- for date or timestamp functions").

CREATE OR REPLACE FUNCTION pg_catalog.redshift_part(part text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE
     WHEN lower(part) IN ('millennium', 'millennia', 'mil', 'mils') THEN 'millennium'
     WHEN lower(part) IN ('century', 'centuries', 'c', 'cent', 'cents') THEN 'century'
     WHEN lower(part) IN ('decade', 'decades', 'dec', 'decs') THEN 'decade'
     WHEN lower(part) IN ('year', 'years', 'y', 'yr', 'yrs') THEN 'year'
     WHEN lower(part) IN ('quarter', 'quarters', 'qtr', 'qtrs') THEN 'quarter'
     WHEN lower(part) IN ('month', 'months', 'mon', 'mons') THEN 'month'
     WHEN lower(part) IN ('week', 'weeks', 'w') THEN 'week'
     WHEN lower(part) IN ('day', 'days', 'd') THEN 'day'
     WHEN lower(part) IN ('dayofweek', 'dow', 'dw', 'weekday') THEN 'dow'
     WHEN lower(part) IN ('dayofyear', 'doy', 'dy', 'yearday') THEN 'doy'
     WHEN lower(part) IN ('hour', 'hours', 'h', 'hr', 'hrs') THEN 'hour'
     WHEN lower(part) IN ('minute', 'minutes', 'm', 'min', 'mins') THEN 'minute'
     WHEN lower(part) IN ('second', 'seconds', 's', 'sec', 'secs') THEN 'second'
     WHEN lower(part) IN ('millisecond', 'milliseconds', 'ms', 'msec', 'msecs', 'msecond', 'mseconds', 'millisec', 'millisecs', 'millisecon')
       THEN 'milliseconds'
     WHEN lower(part) IN ('microsecond', 'microseconds', 'us', 'usec', 'usecs', 'usecond', 'useconds', 'microsec', 'microsecs')
       THEN 'microseconds'
     ELSE lower(part) END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_no_part(part text) RETURNS integer LANGUAGE plpgsql IMMUTABLE STRICT AS
$$ BEGIN
  RAISE EXCEPTION 'invalid date part %', part USING ERRCODE = '22023';
END $$;

CREATE OR REPLACE FUNCTION pg_catalog.redshift_interval(part text, amount bigint) RETURNS interval LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE redshift_part(part)
     WHEN 'millennium' THEN make_interval(years => 1000 * amount::int)
     WHEN 'century' THEN make_interval(years => 100 * amount::int)
     WHEN 'decade' THEN make_interval(years => 10 * amount::int)
     WHEN 'year' THEN make_interval(years => amount::int)
     WHEN 'quarter' THEN make_interval(months => 3 * amount::int)
     WHEN 'month' THEN make_interval(months => amount::int)
     WHEN 'week' THEN make_interval(weeks => amount::int)
     WHEN 'day' THEN make_interval(days => amount::int)
     WHEN 'doy' THEN make_interval(days => amount::int)
     WHEN 'hour' THEN amount * interval '1 hour'
     WHEN 'minute' THEN amount * interval '1 minute'
     WHEN 'second' THEN amount * interval '1 second'
     WHEN 'milliseconds' THEN amount * interval '1 millisecond'
     WHEN 'microseconds' THEN amount * interval '1 microsecond'
     ELSE make_interval(days => redshift_no_part(part)) END $$;
CREATE OR REPLACE FUNCTION pg_catalog.dateadd(part text, amount bigint, moment timestamp) RETURNS timestamp
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT moment + redshift_interval(part, amount) $$;
CREATE OR REPLACE FUNCTION pg_catalog.dateadd(part text, amount bigint, moment timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE STRICT AS $$ SELECT moment + redshift_interval(part, amount) $$;
CREATE OR REPLACE FUNCTION pg_catalog.dateadd(part text, amount bigint, moment date) RETURNS timestamp
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT moment::timestamp + redshift_interval(part, amount) $$;
CREATE OR REPLACE FUNCTION pg_catalog.dateadd(part text, amount bigint, moment time) RETURNS time
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT moment + redshift_interval(part, amount) $$;
CREATE OR REPLACE FUNCTION pg_catalog.dateadd(part text, amount bigint, moment timetz) RETURNS timetz
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT moment + redshift_interval(part, amount) $$;
-- A literal is a moment without a zone.
CREATE OR REPLACE FUNCTION pg_catalog.dateadd(part text, amount bigint, moment text) RETURNS timestamp
LANGUAGE sql STABLE STRICT AS $$ SELECT dateadd(part, amount, moment::timestamp) $$;

-- DATEDIFF counts the boundaries that lie between, not the time; a week begins on Sunday.
CREATE OR REPLACE FUNCTION pg_catalog.datediff(part text, a timestamp, b timestamp) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE redshift_part(part)
     WHEN 'millennium' THEN (extract(millennium FROM b) - extract(millennium FROM a))::bigint
     WHEN 'century' THEN (extract(century FROM b) - extract(century FROM a))::bigint
     WHEN 'decade' THEN (extract(decade FROM b) - extract(decade FROM a))::bigint
     WHEN 'year' THEN (extract(year FROM b) - extract(year FROM a))::bigint
     WHEN 'quarter' THEN (extract(year FROM b) * 4 + extract(quarter FROM b) - extract(year FROM a) * 4 - extract(quarter FROM a))::bigint
     WHEN 'month' THEN (extract(year FROM b) * 12 + extract(month FROM b) - extract(year FROM a) * 12 - extract(month FROM a))::bigint
     WHEN 'week' THEN
       ((date_trunc('week', b + interval '1 day')::date - date_trunc('week', a + interval '1 day')::date) / 7)::bigint
     WHEN 'day' THEN (b::date - a::date)::bigint
     WHEN 'hour' THEN (extract(epoch FROM date_trunc('hour', b) - date_trunc('hour', a)) / 3600)::bigint
     WHEN 'minute' THEN (extract(epoch FROM date_trunc('minute', b) - date_trunc('minute', a)) / 60)::bigint
     WHEN 'second' THEN extract(epoch FROM date_trunc('second', b) - date_trunc('second', a))::bigint
     WHEN 'milliseconds' THEN (extract(epoch FROM date_trunc('milliseconds', b) - date_trunc('milliseconds', a)) * 1000)::bigint
     WHEN 'microseconds' THEN (extract(epoch FROM b - a) * 1000000)::bigint
     ELSE redshift_no_part(part) END $$;
CREATE OR REPLACE FUNCTION pg_catalog.datediff(part text, a date, b date) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT datediff(part, a::timestamp, b::timestamp) $$;
CREATE OR REPLACE FUNCTION pg_catalog.datediff(part text, a timestamptz, b timestamptz) RETURNS bigint
LANGUAGE sql STABLE STRICT AS $$ SELECT datediff(part, a AT TIME ZONE 'UTC', b AT TIME ZONE 'UTC') $$;
CREATE OR REPLACE FUNCTION pg_catalog.datediff(part text, a time, b time) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT datediff(part, date '2000-01-01' + a, date '2000-01-01' + b) $$;
CREATE OR REPLACE FUNCTION pg_catalog.datediff(part text, a text, b text) RETURNS bigint
LANGUAGE sql STABLE STRICT AS $$ SELECT datediff(part, a::timestamp, b::timestamp) $$;

-- DATE_PART tells seconds with what is behind their point.
DO $$ DECLARE
  kind text;
BEGIN
  FOREACH kind IN ARRAY ARRAY['moment timestamp', 'moment timestamptz', 'moment date', 'moment time', 'moment timetz', 'span interval'] LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_redshift.date_part(part text, %s) RETURNS double precision
      LANGUAGE sql STABLE STRICT AS $f$ SELECT date_part(redshift_part(part), $2) $f$', kind);
  END LOOP;
END $$;
CREATE OR REPLACE FUNCTION pg_redshift.date_part(part text, moment text) RETURNS double precision LANGUAGE sql STABLE STRICT AS
$$ SELECT pg_redshift.date_part(part, moment::timestamp) $$;
CREATE OR REPLACE FUNCTION pg_catalog.date_part_year(moment date) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT extract(year FROM moment)::integer $$;

-- EXTRACT tells the part alone, as a whole number ("Variations in results with seconds, milliseconds, and microseconds").
CREATE OR REPLACE FUNCTION pg_catalog.redshift_part_alone(part text, value double precision) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE WHEN part IN ('milliseconds', 'microseconds') THEN trunc(value)::bigint % 1000 ELSE trunc(value)::bigint END $$;
DO $$ DECLARE
  kind text;
BEGIN
  FOREACH kind IN ARRAY ARRAY['timestamp', 'date', 'time', 'timetz', 'interval', 'text'] LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_redshift.date_part(part text, moment %s, alone boolean) RETURNS bigint
      LANGUAGE sql STABLE STRICT AS $f$ SELECT redshift_part_alone(redshift_part(part), pg_redshift.date_part(part, moment)) $f$', kind);
  END LOOP;
END $$;
CREATE OR REPLACE FUNCTION pg_redshift.date_part(part text, moment timestamptz, alone boolean) RETURNS double precision
LANGUAGE sql STABLE STRICT AS
$$ SELECT redshift_part_alone(redshift_part(part), pg_redshift.date_part(part, moment))::double precision $$;

-- A date stays without a zone; a literal is a moment without one.
CREATE OR REPLACE FUNCTION pg_catalog.date_trunc(part text, moment date) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT date_trunc(part, moment::timestamp) $$;
CREATE OR REPLACE FUNCTION pg_catalog.date_trunc(part text, moment text) RETURNS timestamp LANGUAGE sql STABLE STRICT AS
$$ SELECT date_trunc(part, moment::timestamp) $$;
CREATE OR REPLACE FUNCTION pg_catalog.add_months(moment timestamp, months integer) RETURNS timestamp
LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE WHEN moment::date = last_day(moment::date)
     THEN last_day((moment + make_interval(months => months))::date) + moment::time
     ELSE moment + make_interval(months => months) END $$;
CREATE OR REPLACE FUNCTION pg_catalog.last_day(moment date) RETURNS date
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT (date_trunc('month', moment) + interval '1 month - 1 day')::date $$;
CREATE OR REPLACE FUNCTION pg_catalog.last_day(moment timestamp) RETURNS date
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT last_day(moment::date) $$;
CREATE OR REPLACE FUNCTION pg_catalog.next_day(moment timestamp, weekday text) RETURNS date
LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT moment::date + 1 + (strpos('sumotuwethfrsa', lower(left(weekday, 2))) / 2
     - extract(dow FROM moment)::int - 1 + 7) % 7 $$;
CREATE OR REPLACE FUNCTION pg_catalog.trunc(moment timestamp) RETURNS date
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT moment::date $$;
-- Whole months where the days agree or both are a month's last; else the days count as parts of 31.
CREATE OR REPLACE FUNCTION pg_catalog.months_between(a timestamp, b timestamp) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT (extract(year FROM a) - extract(year FROM b)) * 12 + extract(month FROM a) - extract(month FROM b)
     + CASE WHEN extract(day FROM a) = extract(day FROM b)
         OR (a::date = last_day(a) AND b::date = last_day(b)) THEN 0
       ELSE (extract(day FROM a) - extract(day FROM b)
         + extract(epoch FROM a::time - b::time) / 86400) / 31 END $$;
CREATE OR REPLACE FUNCTION pg_catalog.last_day(moment text) RETURNS date LANGUAGE sql STABLE STRICT AS
$$ SELECT last_day(moment::date) $$;
CREATE OR REPLACE FUNCTION pg_catalog.convert_timezone(zone text, moment timestamp) RETURNS timestamp
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT moment AT TIME ZONE 'UTC' AT TIME ZONE zone $$;
CREATE OR REPLACE FUNCTION pg_catalog.convert_timezone(source text, target text, moment timestamp) RETURNS timestamp
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT moment AT TIME ZONE source AT TIME ZONE target $$;

-- A moment with a zone is one of UTC, a literal one without a zone.
CREATE OR REPLACE FUNCTION pg_catalog.convert_timezone(zone text, moment timestamptz) RETURNS timestamp
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT convert_timezone(zone, moment AT TIME ZONE 'UTC') $$;
CREATE OR REPLACE FUNCTION pg_catalog.convert_timezone(source text, target text, moment timestamptz) RETURNS timestamp
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT convert_timezone(source, target, moment AT TIME ZONE 'UTC') $$;
CREATE OR REPLACE FUNCTION pg_catalog.convert_timezone(zone text, moment text) RETURNS timestamp
LANGUAGE sql STABLE STRICT AS $$ SELECT convert_timezone(zone, moment::timestamp) $$;
CREATE OR REPLACE FUNCTION pg_catalog.convert_timezone(source text, target text, moment text) RETURNS timestamp
LANGUAGE sql STABLE STRICT AS $$ SELECT convert_timezone(source, target, moment::timestamp) $$;

-- TO_DATE and TO_TIMESTAMP: unless they are to be strict, a day, month or time that is out of range goes on into the next.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_rolled(value text, form text) RETURNS timestamp LANGUAGE plpgsql IMMUTABLE STRICT AS
$$ DECLARE
  word text;
  pattern text := '^\s*';
  words text[];
  parts text[];
  moment timestamp := '0001-01-01';
BEGIN
  FOR word IN SELECT (regexp_matches(upper(form), 'YYYY|MM|DD|HH24|MI|SS|.', 'g'))[1] LOOP
    IF length(word) > 1 THEN
      pattern := pattern || CASE word WHEN 'YYYY' THEN '(\d{4})' ELSE '(\d{1,2})' END;
      words := words || word;
    ELSIF word ~ '[A-Z"]' THEN
      RETURN NULL;  -- a month's name, half a day, a text: nothing that one can count on from
    ELSE
      pattern := pattern || '.';
    END IF;
  END LOOP;
  parts := regexp_match(value, pattern);
  FOR place IN 1 .. coalesce(cardinality(parts), 0) LOOP
    moment := moment + parts[place]::integer * CASE words[place] WHEN 'YYYY' THEN interval '1 year' WHEN 'MM' THEN interval '1 month'
      WHEN 'HH24' THEN interval '1 hour' WHEN 'MI' THEN interval '1 minute' WHEN 'SS' THEN interval '1 second' ELSE interval '0' END
      - CASE words[place] WHEN 'YYYY' THEN interval '1 year' WHEN 'MM' THEN interval '1 month' ELSE interval '0' END;
  END LOOP;
  -- Days last: how many a month has depends on the others.
  RETURN CASE WHEN parts IS NULL THEN NULL WHEN 'DD' = ANY (words)
    THEN moment + (parts[array_position(words, 'DD')]::integer - 1) * interval '1 day' ELSE moment END;
END $$;
CREATE OR REPLACE FUNCTION pg_redshift.to_timestamp(value text, form text, is_strict boolean DEFAULT false) RETURNS timestamptz
LANGUAGE plpgsql STABLE STRICT AS
$$ DECLARE
  rolled timestamp;
BEGIN
  RETURN pg_catalog.to_timestamp(value, form);
EXCEPTION WHEN datetime_field_overflow THEN
  rolled := CASE WHEN NOT is_strict THEN redshift_rolled(value, form) END;
  IF rolled IS NULL THEN
    RAISE;
  END IF;
  RETURN rolled;
END $$;
CREATE OR REPLACE FUNCTION pg_redshift.to_timestamp(value timestamp, form text, is_strict boolean DEFAULT false) RETURNS timestamptz
LANGUAGE sql STABLE STRICT AS $$ SELECT pg_redshift.to_timestamp(value::text, form, is_strict) $$;
CREATE OR REPLACE FUNCTION pg_redshift.to_date(value text, form text, is_strict boolean DEFAULT false) RETURNS date
LANGUAGE plpgsql STABLE STRICT AS
$$ DECLARE
  rolled timestamp;
BEGIN
  RETURN pg_catalog.to_date(value, form);
EXCEPTION WHEN datetime_field_overflow THEN
  rolled := CASE WHEN NOT is_strict THEN redshift_rolled(value, form) END;
  IF rolled IS NULL THEN
    RAISE;
  END IF;
  RETURN rolled;
END $$;
