-- Functions that Redshift takes more kinds of values with, and some that Postgres has not (Developer Guide, "SQL
-- functions reference").

CREATE OR REPLACE FUNCTION pg_catalog.round(x double precision, digits integer) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT round(x::numeric, digits)::double precision $$;
CREATE OR REPLACE FUNCTION pg_catalog.trunc(x double precision, digits integer) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT trunc(x::numeric, digits)::double precision $$;
CREATE OR REPLACE FUNCTION pg_catalog.mod(x double precision, y double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT x - y * trunc(x / y) $$;
CREATE OR REPLACE FUNCTION pg_catalog.octetindex(part text, value text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT position(convert_to(part, 'UTF8') IN convert_to(value, 'UTF8')) $$;
CREATE OR REPLACE FUNCTION pg_catalog.getbit(value bytea, place integer) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT get_bit(value, place) $$;

-- Numbers are the sum of their digits' places, as in the guide's example (109.20 is 10920); how AWS sums a text is not
-- published, here it is its CRC-32.
CREATE OR REPLACE FUNCTION pg_catalog.checksum(value numeric) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT (value * (10::numeric ^ scale(value)) % 2147483648)::integer $$;
CREATE OR REPLACE FUNCTION pg_catalog.checksum(value text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT crc32(convert_to(value, 'UTF8'))::bit(32)::integer $$;

-- What cannot be cast is NULL.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_try_cast(value anyelement, type text) RETURNS text LANGUAGE plpgsql STABLE STRICT AS
$$ DECLARE
  cast_value text;
BEGIN
  EXECUTE format('SELECT CAST($1 AS %s)::text', type) INTO cast_value USING value;
  RETURN cast_value;
EXCEPTION WHEN data_exception OR cannot_coerce THEN
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_try_cast(value text, type text) RETURNS text LANGUAGE plpgsql STABLE STRICT AS
$$ DECLARE
  cast_value text;
BEGIN
  EXECUTE format('SELECT CAST($1 AS %s)::text', type) INTO cast_value USING value;
  RETURN cast_value;
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END $$;

-- SUPER ---------------------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION pg_catalog.json_size(value jsonb) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT octet_length(pg_redshift.json_serialize(value)) $$;
CREATE OR REPLACE FUNCTION pg_catalog.json_serialize_to_varbyte(value jsonb) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT convert_to(pg_redshift.json_serialize(value), 'UTF8') $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_is_whole(value jsonb, low numeric, high numeric) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE jsonb_typeof(value) WHEN 'number' THEN scale(value::numeric) = 0 AND value::numeric BETWEEN low AND high ELSE false END $$;
CREATE OR REPLACE FUNCTION pg_catalog.is_smallint(value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(redshift_is_whole(value, -32768, 32767), false) $$;
CREATE OR REPLACE FUNCTION pg_catalog.is_integer(value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(redshift_is_whole(value, -2147483648, 2147483647), false) $$;
CREATE OR REPLACE FUNCTION pg_catalog.is_bigint(value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(redshift_is_whole(value, -9223372036854775808, 9223372036854775807), false) $$;
CREATE OR REPLACE FUNCTION pg_catalog.is_decimal(value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(jsonb_typeof(value) = 'number', false) $$;
CREATE OR REPLACE FUNCTION pg_catalog.is_float(value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(jsonb_typeof(value) = 'number', false) $$;
CREATE OR REPLACE FUNCTION pg_catalog.is_char(value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(jsonb_typeof(value) = 'string' AND octet_length(value #>> '{}') = char_length(value #>> '{}'), false) $$;
CREATE OR REPLACE FUNCTION pg_catalog.decimal_scale(value jsonb) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE jsonb_typeof(value) WHEN 'number' THEN scale(value::numeric) END $$;
CREATE OR REPLACE FUNCTION pg_catalog.decimal_precision(value jsonb) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE jsonb_typeof(value) WHEN 'number' THEN length(ltrim(translate(value #>> '{}', '-.', ''), '0')) END $$;
CREATE OR REPLACE FUNCTION pg_catalog.array_flatten(value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT coalesce(jsonb_agg(i.item ORDER BY e.place, i.place), '[]')
   FROM jsonb_array_elements(value) WITH ORDINALITY AS e(item, place)
   CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(e.item) WHEN 'array' THEN e.item ELSE jsonb_build_array(e.item) END)
     WITH ORDINALITY AS i(item, place) $$;
CREATE OR REPLACE FUNCTION pg_catalog.array_contains(value jsonb, item anyelement) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT EXISTS (SELECT FROM jsonb_array_elements(value) AS e(found) WHERE found = to_jsonb(item)) $$;
CREATE OR REPLACE FUNCTION pg_catalog.array_contains(value jsonb, item text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT EXISTS (SELECT FROM jsonb_array_elements(value) AS e(found) WHERE found = to_jsonb(item)) $$;
CREATE OR REPLACE FUNCTION pg_catalog.array_distinct(value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT coalesce(jsonb_agg(item ORDER BY place), '[]')
   FROM (SELECT item, min(place) AS place FROM jsonb_array_elements(value) WITH ORDINALITY AS e(item, place) GROUP BY item) AS d $$;
