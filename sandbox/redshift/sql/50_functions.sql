-- More functions of Redshift (Developer Guide, "SQL functions reference"). The front calls those that Postgres has under
-- the same name with another meaning in the schema pg_redshift (sandbox/redshift/rewrite/words.py), so that the columns
-- of a result keep their names.

CREATE SCHEMA IF NOT EXISTS pg_redshift;
GRANT USAGE ON SCHEMA pg_redshift TO PUBLIC;

-- Regular expressions: 'p' (Perl's) changes nothing here, 'e' takes the first group. A place before the first is the first.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_flags(flags text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT translate(flags, 'pe', '') $$;
-- Every occurrence is replaced; a group is $1 in what is put in.
CREATE OR REPLACE FUNCTION pg_redshift.regexp_replace(
  source text, pattern text, replacement text DEFAULT '', start integer DEFAULT 1, flags text DEFAULT 'c') RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT left(source, greatest(start, 1) - 1) || regexp_replace(substr(source, greatest(start, 1)), pattern,
     regexp_replace(replace(replacement, '\', '\\'), '\$(\d)', '\\\1', 'g'), 'g' || redshift_flags(flags)) $$;
CREATE OR REPLACE FUNCTION pg_redshift.regexp_count(source text, pattern text, start integer DEFAULT 1, flags text DEFAULT 'c')
RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT regexp_count(source, pattern, greatest(start, 1), redshift_flags(flags)) $$;
CREATE OR REPLACE FUNCTION pg_redshift.regexp_instr(source text, pattern text, start integer DEFAULT 1, occurrence integer DEFAULT 1,
  ending integer DEFAULT 0, flags text DEFAULT 'c') RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE WHEN occurrence BETWEEN 1 AND char_length(source)
     THEN regexp_instr(source, pattern, greatest(start, 1), occurrence, ending, redshift_flags(flags),
       CASE WHEN strpos(flags, 'e') > 0 AND regexp_instr(source, pattern, 1, 1, 0, '', 1) > 0 THEN 1 ELSE 0 END) ELSE 0 END $$;
-- What is not found is an empty text.
CREATE OR REPLACE FUNCTION pg_redshift.regexp_substr(source text, pattern text, start integer DEFAULT 1, occurrence integer DEFAULT 1,
  flags text DEFAULT 'c') RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE WHEN occurrence BETWEEN 1 AND char_length(source) THEN coalesce(
     CASE WHEN strpos(flags, 'e') > 0 THEN regexp_substr(source, pattern, greatest(start, 1), occurrence, redshift_flags(flags), 1) END,
     regexp_substr(source, pattern, greatest(start, 1), occurrence, redshift_flags(flags)), '') END $$;
-- NULL joined with a text is NULL.
CREATE OR REPLACE FUNCTION pg_redshift.concat(a text, b text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT a || b $$;

CREATE OR REPLACE FUNCTION pg_catalog.soundex(word text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS
$$ DECLARE
  letters text := upper(regexp_replace(word, '[^a-zA-Z]', '', 'g'));
  codes text := translate(letters, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', '01230120022455012623010202');
  found text := left(letters, 1);
  last text := left(codes, 1);
BEGIN
  FOR place IN 2 .. length(letters) LOOP
    IF substr(codes, place, 1) NOT IN ('0', last) THEN
      found := found || substr(codes, place, 1);
    END IF;
    IF substr(letters, place, 1) NOT IN ('H', 'W') THEN
      last := substr(codes, place, 1);
    END IF;
  END LOOP;
  RETURN CASE WHEN found = '' THEN '' ELSE rpad(left(found, 4), 4, '0') END;
END $$;
CREATE OR REPLACE FUNCTION pg_catalog.difference(a text, b text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT count(*)::integer FROM generate_series(1, 4) AS s(n) WHERE substr(soundex(a), n, 1) = substr(soundex(b), n, 1) $$;
CREATE OR REPLACE FUNCTION pg_catalog.dexp(x double precision) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT exp(x) $$;
CREATE OR REPLACE FUNCTION pg_catalog.dlog1(x double precision) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT ln(x) $$;
CREATE OR REPLACE FUNCTION pg_catalog.dlog10(x double precision) RETURNS double precision LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT log(x) $$;

CREATE OR REPLACE FUNCTION pg_catalog.to_varbyte(value text, form text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE WHEN lower(form) IN ('utf8', 'utf-8') THEN convert_to(value, 'UTF8') ELSE decode(value, form) END $$;
CREATE OR REPLACE FUNCTION pg_catalog.from_varbyte(value bytea, form text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE WHEN lower(form) IN ('utf8', 'utf-8') THEN convert_from(value, 'UTF8') ELSE encode(value, form) END $$;
CREATE OR REPLACE FUNCTION pg_catalog.from_hex(digits text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT decode(digits, 'hex') $$;
CREATE OR REPLACE FUNCTION pg_catalog.to_hex(value bytea) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT encode(value, 'hex') $$;

-- Hashes --------------------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION pg_catalog.crc32(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT lpad(to_hex(crc32(convert_to(value, 'UTF8'))), 8, '0') $$;

CREATE OR REPLACE FUNCTION pg_catalog.redshift_rotate(word bigint, bits integer) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT ((word << bits) | (word >> (32 - bits))) & 4294967295 $$;
-- SHA-1 as FIPS 180-4 has it: the embedded Postgres has no pgcrypto.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_sha1(given bytea) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS
$$ DECLARE
  padded bytea := given || '\x80'::bytea || decode(repeat('00', (119 - octet_length(given) % 64) % 64), 'hex') || int8send(octet_length(given)::bigint * 8);
  h bigint[] := ARRAY[1732584193, 4023233417, 2562383102, 271733878, 3285377520];
  w bigint[];
  a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; t bigint;
BEGIN
  FOR block IN 0 .. octet_length(padded) / 64 - 1 LOOP
    FOR i IN 0 .. 79 LOOP
      IF i < 16 THEN
        w[i] := (get_byte(padded, block * 64 + i * 4)::bigint << 24) | (get_byte(padded, block * 64 + i * 4 + 1) << 16)
          | (get_byte(padded, block * 64 + i * 4 + 2) << 8) | get_byte(padded, block * 64 + i * 4 + 3);
      ELSE
        w[i] := redshift_rotate(w[i - 3] # w[i - 8] # w[i - 14] # w[i - 16], 1);
      END IF;
    END LOOP;
    a := h[1]; b := h[2]; c := h[3]; d := h[4]; e := h[5];
    FOR i IN 0 .. 79 LOOP
      IF i < 20 THEN f := (b & c) | ((b # 4294967295) & d); k := 1518500249;
      ELSIF i < 40 THEN f := b # c # d; k := 1859775393;
      ELSIF i < 60 THEN f := (b & c) | (b & d) | (c & d); k := 2400959708;
      ELSE f := b # c # d; k := 3395469782;
      END IF;
      t := (redshift_rotate(a, 5) + f + e + k + w[i]) & 4294967295;
      e := d; d := c; c := redshift_rotate(b, 30); b := a; a := t;
    END LOOP;
    h := ARRAY[(h[1] + a) & 4294967295, (h[2] + b) & 4294967295, (h[3] + c) & 4294967295, (h[4] + d) & 4294967295, (h[5] + e) & 4294967295];
  END LOOP;
  RETURN (SELECT string_agg(lpad(to_hex(part), 8, '0'), '' ORDER BY place) FROM unnest(h) WITH ORDINALITY AS p(part, place));
END $$;
CREATE OR REPLACE FUNCTION pg_catalog.sha1(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT redshift_sha1(convert_to(value, 'UTF8')) $$;
CREATE OR REPLACE FUNCTION pg_catalog.sha(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT redshift_sha1(convert_to(value, 'UTF8')) $$;
CREATE OR REPLACE FUNCTION pg_catalog.func_sha1(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT redshift_sha1(convert_to(value, 'UTF8')) $$;

-- FNV-1a of 64 bits; numbers by their bytes, the lowest first.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_fnv(given bytea, seed bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE STRICT AS
$$ DECLARE
  hash numeric := CASE WHEN seed < 0 THEN seed + 18446744073709551616 ELSE seed END;
  low bigint;
BEGIN
  FOR place IN 0 .. octet_length(given) - 1 LOOP
    low := (hash % 4294967296)::bigint;
    hash := (((hash - low) + (low # get_byte(given, place))) * 1099511628211) % 18446744073709551616;
  END LOOP;
  RETURN CASE WHEN hash >= 9223372036854775808 THEN hash - 18446744073709551616 ELSE hash END::bigint;
END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_reversed(given bytea) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT decode(string_agg(lpad(to_hex(get_byte(given, n)), 2, '0'), '' ORDER BY n DESC), 'hex') FROM generate_series(0, octet_length(given) - 1) AS s(n) $$;
CREATE OR REPLACE FUNCTION pg_catalog.fnv_hash(value text, seed bigint DEFAULT -3750763034362895579) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN value IS NULL THEN seed ELSE redshift_fnv(convert_to(value, 'UTF8'), seed) END $$;
CREATE OR REPLACE FUNCTION pg_catalog.fnv_hash(value smallint, seed bigint DEFAULT -3750763034362895579) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN value IS NULL THEN seed ELSE redshift_fnv(redshift_reversed(int2send(value)), seed) END $$;
CREATE OR REPLACE FUNCTION pg_catalog.fnv_hash(value integer, seed bigint DEFAULT -3750763034362895579) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN value IS NULL THEN seed ELSE redshift_fnv(redshift_reversed(int4send(value)), seed) END $$;
CREATE OR REPLACE FUNCTION pg_catalog.fnv_hash(value bigint, seed bigint DEFAULT -3750763034362895579) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN value IS NULL THEN seed ELSE redshift_fnv(redshift_reversed(int8send(value)), seed) END $$;

-- SUPER: kept as jsonb; a NULL is of no type ------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION pg_catalog.json_parse(value text) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT value::jsonb $$;
CREATE OR REPLACE FUNCTION pg_catalog.can_json_parse(value text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT pg_input_is_valid(value, 'jsonb') $$;
-- Without the blanks that Postgres puts in.
CREATE OR REPLACE FUNCTION pg_redshift.json_serialize(value jsonb) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE jsonb_typeof(value)
     WHEN 'object' THEN '{' || coalesce((SELECT string_agg(format('%s:', to_jsonb(key)) || pg_redshift.json_serialize(item), ',') FROM jsonb_each(value) AS e(key, item)), '') || '}'
     WHEN 'array' THEN '[' || coalesce((SELECT string_agg(pg_redshift.json_serialize(item), ',' ORDER BY place) FROM jsonb_array_elements(value) WITH ORDINALITY AS e(item, place)), '') || ']'
     ELSE format('%s', value) END $$;
CREATE OR REPLACE FUNCTION pg_catalog.json_typeof(value jsonb) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT jsonb_typeof(value) $$;
CREATE OR REPLACE FUNCTION pg_catalog.is_object(value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(jsonb_typeof(value) = 'object', false) $$;
CREATE OR REPLACE FUNCTION pg_catalog.is_array(value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(jsonb_typeof(value) = 'array', false) $$;
CREATE OR REPLACE FUNCTION pg_catalog.is_scalar(value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(jsonb_typeof(value) NOT IN ('object', 'array', 'null'), false) $$;
CREATE OR REPLACE FUNCTION pg_catalog.is_varchar(value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(jsonb_typeof(value) = 'string', false) $$;
CREATE OR REPLACE FUNCTION pg_catalog.is_boolean(value jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(jsonb_typeof(value) = 'boolean', false) $$;
CREATE OR REPLACE FUNCTION pg_catalog.get_array_length(value jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE jsonb_typeof(value) WHEN 'array' THEN jsonb_array_length(value)::bigint END $$;
CREATE OR REPLACE FUNCTION pg_catalog.array_concat(a jsonb, b jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT a || b $$;
CREATE OR REPLACE FUNCTION pg_catalog.split_to_array(value text, delimiter text DEFAULT ',') RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT to_jsonb(string_to_array(value, delimiter)) $$;
CREATE OR REPLACE FUNCTION pg_catalog.subarray(value jsonb, first integer, count integer DEFAULT 2147483647) RETURNS jsonb
LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT coalesce(jsonb_agg(item ORDER BY place), '[]') FROM jsonb_array_elements(value) WITH ORDINALITY AS e(item, place)
   WHERE place > first AND place <= first::bigint + count $$;
-- The last argument may be a boolean: whether what is no JSON is NULL.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_json_lenient(value text, lenient boolean) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE WHEN NOT lenient OR pg_input_is_valid(value, 'json') THEN value END $$;
CREATE OR REPLACE FUNCTION pg_catalog.json_extract_path_text(value text, a text, lenient boolean) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT json_extract_path_text(redshift_json_lenient(value, lenient), a) $$;
CREATE OR REPLACE FUNCTION pg_catalog.json_extract_path_text(value text, a text, b text, lenient boolean) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT json_extract_path_text(redshift_json_lenient(value, lenient), a, b) $$;
CREATE OR REPLACE FUNCTION pg_catalog.json_extract_path_text(value text, a text, b text, c text, lenient boolean) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT json_extract_path_text(redshift_json_lenient(value, lenient), a, b, c) $$;
CREATE OR REPLACE FUNCTION pg_catalog.json_extract_array_element_text(value text, place integer, lenient boolean) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT json_extract_array_element_text(redshift_json_lenient(value, lenient), place) $$;
CREATE OR REPLACE FUNCTION pg_catalog.json_array_length(value text, lenient boolean) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$ SELECT json_array_length(redshift_json_lenient(value, lenient)) $$;

-- Aggregates ----------------------------------------------------------------------------------------------------------

-- AVG of whole numbers is a whole number, cut off.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_avg_of_integers(state bigint[]) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT state[2] / nullif(state[1], 0) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_add_bigint(state numeric[], value bigint) RETURNS numeric[] LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN value IS NULL THEN state ELSE ARRAY[state[1] + 1, state[2] + value] END $$;
-- AVG of decimals has as many digits behind the point as they have, cut off.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_add_numeric(state numeric[], value numeric) RETURNS numeric[] LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN value IS NULL THEN state ELSE ARRAY[state[1] + 1, state[2] + value] END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_avg_of_numerics(state numeric[]) RETURNS numeric LANGUAGE sql IMMUTABLE AS
$$ SELECT trunc(state[2] / nullif(state[1], 0), coalesce(scale(state[2]), 0)) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_avg_of_bigints(state numeric[]) RETURNS bigint LANGUAGE sql IMMUTABLE AS
$$ SELECT trunc(state[2] / nullif(state[1], 0))::bigint $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_percentile(state double precision[], place double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE AS
$$ SELECT percentile_cont(place) WITHIN GROUP (ORDER BY value) FROM unnest(state) AS u(value) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_half(state double precision[]) RETURNS double precision LANGUAGE sql IMMUTABLE AS
$$ SELECT redshift_percentile(state, 0.5) $$;
DO $$ BEGIN
  IF to_regprocedure('pg_redshift.avg(smallint)') IS NULL THEN
    CREATE AGGREGATE pg_redshift.avg(smallint) (sfunc = int2_avg_accum, stype = bigint[], initcond = '{0,0}',
      finalfunc = redshift_avg_of_integers);
    CREATE AGGREGATE pg_redshift.avg(integer) (sfunc = int4_avg_accum, stype = bigint[], initcond = '{0,0}',
      finalfunc = redshift_avg_of_integers);
    CREATE AGGREGATE pg_redshift.avg(bigint) (sfunc = redshift_add_bigint, stype = numeric[], initcond = '{0,0}',
      finalfunc = redshift_avg_of_bigints);
    CREATE AGGREGATE pg_redshift.median(double precision) (sfunc = array_append, stype = double precision[],
      finalfunc = redshift_half);
  END IF;
END $$;
DO $$ BEGIN
  IF to_regprocedure('pg_redshift.avg(interval)') IS NULL THEN
    CREATE AGGREGATE pg_redshift.listagg(text, text) (sfunc = string_agg_transfn, stype = internal, finalfunc = string_agg_finalfn);
    CREATE AGGREGATE pg_redshift.avg(double precision) (sfunc = float8_accum, stype = double precision[],
      initcond = '{0,0,0}', finalfunc = float8_avg);
    CREATE AGGREGATE pg_redshift.avg(interval) (sfunc = interval_avg_accum, stype = internal, finalfunc = interval_avg);
  END IF;
END $$;

CREATE OR REPLACE AGGREGATE pg_redshift.avg(numeric) (sfunc = redshift_add_numeric, stype = numeric[], initcond = '{0,0}',
  finalfunc = redshift_avg_of_numerics);

-- LISTAGG(DISTINCT x) of what is no text, so that it can be sorted as what it is.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_list_step(state text, value anyelement, delimiter text) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN value IS NULL THEN state ELSE coalesce(state || delimiter, '') || value::text END $$;
DO $$ BEGIN
  IF to_regprocedure('pg_redshift.listagg(anyelement, text)') IS NULL THEN
    CREATE AGGREGATE pg_redshift.listagg(anyelement, text) (sfunc = redshift_list_step, stype = text);
  END IF;
END $$;

-- PERCENTILE_CONT over a window: the first number of the state is the percentile, the others are the values.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_percentile_step(state double precision[], value double precision, place double precision)
RETURNS double precision[] LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN value IS NULL THEN state ELSE coalesce(state, ARRAY[place]) || value END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_percentile_end(state double precision[]) RETURNS double precision LANGUAGE sql IMMUTABLE AS
$$ SELECT redshift_percentile(state[2:], state[1]) $$;
DO $$ BEGIN
  IF to_regprocedure('pg_redshift.percentile_cont(double precision, double precision)') IS NULL THEN
    CREATE AGGREGATE pg_redshift.percentile_cont(double precision, double precision) (
      sfunc = redshift_percentile_step, stype = double precision[], finalfunc = redshift_percentile_end);
  END IF;
END $$;

-- PERCENTILE_DISC over a window: of the values that ARRAY_AGG has collected there.
CREATE OR REPLACE FUNCTION pg_redshift.percentile_disc(given anyarray, place double precision, descending boolean) RETURNS anyelement
LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE WHEN descending THEN percentile_disc(place) WITHIN GROUP (ORDER BY value DESC)
     ELSE percentile_disc(place) WITHIN GROUP (ORDER BY value) END FROM unnest(given) AS u(value) $$;
