-- Window functions with IGNORE NULLS (sandbox/redshift/rewrite/ignored_nulls.py).

-- A strict function passes NULL over.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_keep_first(state anyelement, value anyelement) RETURNS anyelement
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT state $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_keep_last(state anyelement, value anyelement) RETURNS anyelement
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT value $$;
DO $$ BEGIN
  IF to_regprocedure('pg_redshift.first_value(anyelement)') IS NULL THEN
    CREATE AGGREGATE pg_redshift.first_value(anyelement) (sfunc = redshift_keep_first, stype = anyelement);
    CREATE AGGREGATE pg_redshift.last_value(anyelement) (sfunc = redshift_keep_last, stype = anyelement);
  END IF;
END $$;

-- Up to ``kept`` values: those that came last, newest first, and those that came first.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_keep_newest(state anyarray, value anyelement, kept integer) RETURNS anyarray
LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN value IS NULL THEN state ELSE (array_prepend(value, state))[1:kept] END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_keep_oldest(state anyarray, value anyelement, kept integer) RETURNS anyarray
LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN value IS NULL OR cardinality(state) >= kept THEN state ELSE array_append(state, value) END $$;
DO $$ BEGIN
  IF to_regprocedure('pg_redshift.lag(anyelement, integer)') IS NULL THEN
    CREATE AGGREGATE pg_redshift.lag(anyelement, integer) (sfunc = redshift_keep_newest, stype = anyarray);
    CREATE AGGREGATE pg_redshift.lead(anyelement, integer) (sfunc = redshift_keep_newest, stype = anyarray);
    CREATE AGGREGATE pg_redshift.nth_value(anyelement, integer) (sfunc = redshift_keep_oldest, stype = anyarray);
  END IF;
END $$;
