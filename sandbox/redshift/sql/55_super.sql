-- SUPER is jsonb: its casts, what it is compared with, and its items in a FROM clause (sandbox/redshift/resolve/).

DO $$ BEGIN
  IF to_regtype('pg_catalog.super') IS NULL THEN CREATE DOMAIN pg_catalog.super AS jsonb; END IF;
END $$;

-- A text that is cast has no quotes around it.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_super_text(value jsonb) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE jsonb_typeof(value) WHEN 'null' THEN NULL WHEN 'string' THEN value #>> '{}' ELSE pg_redshift.json_serialize(value) END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_super_varchar(value jsonb) RETURNS varchar LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT redshift_super_text(value)::varchar $$;
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_cast WHERE castsource = 'jsonb'::regtype AND casttarget = 'text'::regtype) THEN
    CREATE CAST (jsonb AS text) WITH FUNCTION pg_catalog.redshift_super_text(jsonb) AS ASSIGNMENT;
    CREATE CAST (jsonb AS varchar) WITH FUNCTION pg_catalog.redshift_super_varchar(jsonb) AS ASSIGNMENT;
  END IF;
END $$;

CREATE OR REPLACE FUNCTION pg_catalog.redshift_attribute(name text) RETURNS text LANGUAGE sql STABLE STRICT AS
$$ SELECT CASE WHEN lower(current_setting('redshift.enable_case_sensitive_super_attribute', true)) IN ('on', 'true', '1')
     OR lower(current_setting('redshift.enable_case_sensitive_identifier', true)) IN ('on', 'true', '1')
     THEN name ELSE lower(name) END $$;

-- What is no array counts as an array of one item; NULL has none.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_unnest(value jsonb) RETURNS SETOF jsonb LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT item FROM jsonb_array_elements(CASE jsonb_typeof(value) WHEN 'array' THEN value WHEN 'null' THEN '[]' ELSE jsonb_build_array(value) END) AS e(item) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_unnest_at(value jsonb) RETURNS TABLE (item jsonb, place bigint) LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT u.item, u.place - 1 FROM redshift_unnest(value) WITH ORDINALITY AS u(item, place) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_each_at(value jsonb) RETURNS TABLE (item jsonb, name varchar) LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT e.item, e.name FROM jsonb_each(CASE jsonb_typeof(value) WHEN 'object' THEN value ELSE '{}' END) AS e(name, item) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_each(value jsonb) RETURNS SETOF jsonb LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT item FROM redshift_each_at(value) $$;

-- Comparisons look at the type, too: '5' is not 5. Which of two types comes first nobody knows, so that it is NULL.
DO $$ DECLARE
  other text;
  sign text[];
BEGIN
  FOREACH other IN ARRAY ARRAY['text', 'smallint', 'integer', 'bigint', 'numeric', 'double precision', 'boolean'] LOOP
    FOREACH sign SLICE 1 IN ARRAY ARRAY[['=', 'eq', 'false'], ['<>', 'ne', 'true'], ['<', 'lt', 'NULL'], ['<=', 'le', 'NULL'],
        ['>', 'gt', 'NULL'], ['>=', 'ge', 'NULL']] LOOP
      EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_super_%1$s(a jsonb, b %2$s) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT
        AS $f$ SELECT CASE jsonb_typeof(a) WHEN jsonb_typeof(to_jsonb(b)) THEN a %3$s to_jsonb(b) WHEN ''null'' THEN NULL ELSE %4$s END $f$;
        CREATE OR REPLACE FUNCTION pg_catalog.redshift_super_%1$s(a %2$s, b jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT
        AS $f$ SELECT CASE jsonb_typeof(b) WHEN jsonb_typeof(to_jsonb(a)) THEN to_jsonb(a) %3$s b WHEN ''null'' THEN NULL ELSE %4$s END $f$;',
        sign[2], other, sign[1], sign[3]);
      CONTINUE WHEN to_regoperator(format('pg_catalog.%s(jsonb, %s)', sign[1], other)) IS NOT NULL;
      EXECUTE format('CREATE OPERATOR pg_catalog.%3$s (FUNCTION = pg_catalog.redshift_super_%1$s, LEFTARG = jsonb, RIGHTARG = %2$s);
        CREATE OPERATOR pg_catalog.%3$s (FUNCTION = pg_catalog.redshift_super_%1$s, LEFTARG = %2$s, RIGHTARG = jsonb);',
        sign[2], other, sign[1]);
    END LOOP;
  END LOOP;
END $$;

-- What cannot be cast is NULL (Developer Guide, "Lax semantics"). No plain SQL: a constant would be cast before it is looked at.
DO $$ DECLARE
  kind text;
BEGIN
  FOREACH kind IN ARRAY ARRAY['smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric', 'boolean', 'date', 'timestamp',
      'timestamptz'] LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_super_%1$s(value jsonb) RETURNS %2$s LANGUAGE plpgsql STABLE STRICT
      PARALLEL SAFE AS $f$ DECLARE given text := redshift_super_given(value, %2$L);
      BEGIN RETURN CASE WHEN pg_input_is_valid(given, %2$L) THEN given::%2$s END; END $f$', replace(kind, ' ', '_'), kind);
    UPDATE pg_cast SET castfunc = format('pg_catalog.redshift_super_%s(jsonb)', replace(kind, ' ', '_'))::regprocedure
    WHERE castsource = 'jsonb'::regtype AND casttarget = kind::regtype;
    IF NOT FOUND THEN
      EXECUTE format('CREATE CAST (jsonb AS %s) WITH FUNCTION pg_catalog.redshift_super_%1$s(jsonb)', kind);
    END IF;
  END LOOP;
END $$;
-- The text of a scalar from which a value is read; NULL where there is none.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_super_given(value jsonb, kind text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT CASE
     WHEN jsonb_typeof(value) = 'string' THEN value #>> '{}'
     WHEN jsonb_typeof(value) = 'boolean' AND kind = 'boolean' THEN value #>> '{}'
     WHEN jsonb_typeof(value) = 'boolean' AND kind NOT IN ('date', 'timestamp', 'timestamptz') THEN (value #>> '{}')::boolean::integer::text
     WHEN jsonb_typeof(value) = 'number' AND kind IN ('smallint', 'integer', 'bigint') THEN round((value #>> '{}')::numeric)::text
     WHEN jsonb_typeof(value) = 'number' AND kind IN ('real', 'double precision', 'numeric') THEN value #>> '{}' END $$;
