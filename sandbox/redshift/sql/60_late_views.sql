-- Views WITH NO SCHEMA BINDING: their tables may go and come back (Developer Guide, CREATE VIEW).
-- Such a view is one of Postgres' without the dependency on its tables; its query is kept in the comment on its row type,
-- and it is made again from there when a table is made, renamed or dropped. While a table is missing, it says so.

CREATE OR REPLACE FUNCTION pg_catalog.redshift_missing(complaint text) RETURNS text LANGUAGE plpgsql VOLATILE AS
$$ BEGIN RAISE EXCEPTION USING MESSAGE = complaint, ERRCODE = '42P01'; END $$;

CREATE OR REPLACE FUNCTION pg_catalog.redshift_unbind(late regclass) RETURNS void LANGUAGE sql SECURITY DEFINER
SET allow_system_table_mods = on SET search_path = pg_catalog AS
$$ DELETE FROM pg_depend d USING pg_rewrite r WHERE r.ev_class = late AND d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
     AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> late AND redshift_declared(late) ? 'late' $$;

CREATE OR REPLACE FUNCTION pg_catalog.redshift_make_late(name text, query text) RETURNS void LANGUAGE plpgsql AS
$$ BEGIN
  BEGIN
    EXECUTE format('CREATE OR REPLACE VIEW %s AS %s', name, query);
  EXCEPTION WHEN undefined_table OR undefined_column OR invalid_schema_name THEN
    EXECUTE format('DROP VIEW IF EXISTS %s', name);
    EXECUTE format('CREATE VIEW %s AS SELECT pg_catalog.redshift_missing(%L) AS missing', name, SQLERRM);
  WHEN invalid_table_definition THEN  -- its columns are others now
    EXECUTE format('DROP VIEW IF EXISTS %s', name);
    EXECUTE format('CREATE VIEW %s AS %s', name, query);
  END;
  EXECUTE format('COMMENT ON TYPE %s IS %L', name, jsonb_build_object('late', query));
  PERFORM redshift_unbind(name::regclass);
END $$;

CREATE OR REPLACE FUNCTION pg_catalog.redshift_late_view(name text, query text, replaces boolean) RETURNS void
LANGUAGE plpgsql AS
$$ BEGIN
  IF to_regclass(name) IS NOT NULL AND NOT replaces THEN
    RAISE EXCEPTION 'relation % already exists', name USING ERRCODE = '42P07';
  END IF;
  PERFORM redshift_make_late(name, query);
END $$;

CREATE OR REPLACE FUNCTION pg_catalog.redshift_rebind() RETURNS void LANGUAGE plpgsql AS
$$ DECLARE late record;
BEGIN
  FOR late IN SELECT c.oid::regclass::text AS name, d.j->>'late' AS query
    FROM pg_class c CROSS JOIN LATERAL (SELECT redshift_declared(c.oid) AS j) d
    WHERE c.relkind = 'v' AND c.relnamespace <> 'pg_catalog'::regnamespace AND d.j ? 'late'
      AND pg_has_role(c.relowner, 'usage') LOOP
    PERFORM redshift_make_late(late.name, late.query);
  END LOOP;
END $$;

-- Who owns the database is the cluster's administrator: users and groups are made by him.
DO $$ DECLARE administrator text := (SELECT rolname FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba
    WHERE d.datname = current_database() AND NOT rolsuper AND NOT rolcreaterole);
BEGIN
  IF administrator IS NOT NULL THEN
    EXECUTE format('ALTER ROLE %I CREATEROLE', administrator);
  END IF;
END $$;
