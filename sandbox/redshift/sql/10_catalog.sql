-- What Redshift's catalog has and Postgres has not. Run as superuser, once per database and version; safe to repeat.
-- Everything lies in pg_catalog, so that every search_path finds it and \dt does not list it.
SET allow_system_table_mods = on;
SET check_function_bodies = off;

-- Functions -------------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION pg_catalog.redshift_version() RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT 'PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0.70000'::text $$;

CREATE OR REPLACE FUNCTION pg_catalog.getdate() RETURNS timestamp LANGUAGE sql STABLE AS
$$ SELECT date_trunc('second', statement_timestamp() AT TIME ZONE 'UTC') $$;

CREATE OR REPLACE FUNCTION pg_catalog.sysdate() RETURNS timestamp LANGUAGE sql STABLE AS
$$ SELECT transaction_timestamp() AT TIME ZONE 'UTC' $$;

CREATE OR REPLACE FUNCTION pg_catalog.len(text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT char_length($1) $$;

CREATE OR REPLACE FUNCTION pg_catalog.replicate(part text, times integer) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT repeat(part, times) $$;
CREATE OR REPLACE FUNCTION pg_catalog.textlen(whole text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT char_length(whole) $$;
CREATE OR REPLACE FUNCTION pg_catalog.sha2(whole text, bits integer) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT encode(CASE WHEN bits IN (0, 256) THEN sha256(convert_to(whole, 'UTF8')) WHEN bits = 224
     THEN sha224(convert_to(whole, 'UTF8')) WHEN bits = 384 THEN sha384(convert_to(whole, 'UTF8'))
     WHEN bits = 512 THEN sha512(convert_to(whole, 'UTF8')) END, 'hex') $$;
CREATE OR REPLACE FUNCTION pg_catalog.is_valid_json(whole text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT whole ~ '^\s*\{' AND pg_input_is_valid(whole, 'json') $$;
CREATE OR REPLACE FUNCTION pg_catalog.is_valid_json_array(whole text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT whole ~ '^\s*\[' AND pg_input_is_valid(whole, 'json') $$;
CREATE OR REPLACE FUNCTION pg_catalog.json_array_length(whole text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT json_array_length(whole::json) $$;
CREATE OR REPLACE FUNCTION pg_catalog.json_extract_array_element_text(whole text, place integer) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT CASE WHEN place >= 0 THEN whole::json ->> place END $$;
CREATE OR REPLACE FUNCTION pg_catalog.json_extract_path_text(whole text, VARIADIC path text[]) RETURNS text
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT json_extract_path_text(nullif(whole, '')::json, VARIADIC path) $$;
CREATE OR REPLACE FUNCTION pg_catalog.charindex(part text, whole text) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT strpos(whole, part) $$;
-- A session knows its last COPY by settings: they go back with the transaction, as Redshift's do.
CREATE OR REPLACE FUNCTION pg_catalog.pg_last_copy_id() RETURNS integer LANGUAGE sql STABLE AS
$$ SELECT coalesce(nullif(current_setting('redshift.last_copy_id', true), ''), '-1')::integer $$;
CREATE OR REPLACE FUNCTION pg_catalog.pg_last_copy_count() RETURNS bigint LANGUAGE sql STABLE AS
$$ SELECT coalesce(nullif(current_setting('redshift.last_copy_count', true), ''), '0')::bigint $$;

CREATE OR REPLACE FUNCTION pg_catalog.pg_last_unload_id() RETURNS integer LANGUAGE sql STABLE AS
$$ SELECT coalesce(nullif(current_setting('redshift.last_unload_id', true), ''), '-1')::integer $$;
CREATE OR REPLACE FUNCTION pg_catalog.pg_last_unload_count() RETURNS bigint LANGUAGE sql STABLE AS
$$ SELECT coalesce(nullif(current_setting('redshift.last_unload_count', true), ''), '0')::bigint $$;

-- What tables declare ---------------------------------------------------------------------------------------------
-- Kept as JSON in the comment on the table's row type; columns by number, so that renaming one changes nothing.

CREATE OR REPLACE FUNCTION pg_catalog.redshift_declared(relation oid) RETURNS jsonb LANGUAGE sql STABLE AS
$$ SELECT coalesce((SELECT d.description::jsonb
     FROM pg_class c JOIN pg_description d ON d.objoid = c.reltype AND d.classoid = 'pg_type'::regclass AND d.objsubid = 0
     WHERE c.oid = relation AND c.reltype <> 0 AND pg_input_is_valid(d.description, 'jsonb')), '{}') $$;

CREATE OR REPLACE FUNCTION pg_catalog.redshift_column(relation oid, name text) RETURNS integer LANGUAGE plpgsql STABLE AS
$$ DECLARE number integer;
BEGIN
  SELECT attnum INTO number FROM pg_attribute
  WHERE attrelid = relation AND attname = name AND attnum > 0 AND NOT attisdropped;
  IF number IS NULL THEN
    RAISE EXCEPTION 'column "%" named in key does not exist', name USING ERRCODE = '42703';
  END IF;
  RETURN number;
END $$;

CREATE OR REPLACE FUNCTION pg_catalog.redshift_columns(relation oid, names jsonb) RETURNS jsonb LANGUAGE sql STABLE AS
$$ SELECT coalesce(jsonb_agg(redshift_column(relation, n.name) ORDER BY n.place), '[]')
   FROM jsonb_array_elements_text(names) WITH ORDINALITY AS n(name, place) $$;

-- The parent's keys and encodings, for a table that was made LIKE it.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_inherited(parent oid, child oid) RETURNS jsonb LANGUAGE sql STABLE AS
$$ WITH d AS (SELECT redshift_declared(parent) AS j),
   numbers AS (SELECT p.attnum AS old, c.attnum AS new FROM pg_attribute p JOIN pg_attribute c
     ON c.attrelid = child AND c.attname = p.attname AND c.attnum > 0 AND NOT c.attisdropped
     WHERE p.attrelid = parent AND p.attnum > 0 AND NOT p.attisdropped)
   SELECT jsonb_strip_nulls(jsonb_build_object(
     'diststyle', j->'diststyle',
     'sortstyle', j->'sortstyle',
     'distkey', (SELECT new FROM numbers WHERE old = (j->>'distkey')::int),
     'sortkey', (SELECT jsonb_agg(n.new ORDER BY s.place) FROM jsonb_array_elements_text(j->'sortkey')
        WITH ORDINALITY AS s(old, place) JOIN numbers n ON n.old = s.old::int),
     'encode', (SELECT jsonb_object_agg(n.new::text, e.value) FROM jsonb_each(j->'encode') e JOIN numbers n ON n.old = e.key::int)
   )) FROM d $$;

CREATE OR REPLACE FUNCTION pg_catalog.redshift_constraint(relation oid, item jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS
$$ DECLARE
  target regclass;
  table_name text := (SELECT relname FROM pg_class WHERE oid = relation);
  suffix text := CASE item->>'type' WHEN 'p' THEN 'pkey' WHEN 'u' THEN 'key' ELSE 'fkey' END;
  name text := coalesce(item->>'name', CASE item->>'type' WHEN 'p' THEN table_name || '_pkey'
    ELSE table_name || '_' || (SELECT string_agg(value, '_') FROM jsonb_array_elements_text(item->'columns')) || '_' || suffix END);
BEGIN
  IF item->>'type' = 'f' THEN
    target := (SELECT string_agg(quote_ident(value), '.') FROM jsonb_array_elements_text(item->'references'))::regclass;
  END IF;
  RETURN jsonb_strip_nulls(jsonb_build_object('name', name, 'type', item->>'type',
    'columns', redshift_columns(relation, item->'columns'), 'references', target::oid::bigint,
    'referenced_columns', CASE WHEN target IS NOT NULL THEN redshift_columns(target, item->'referenced_columns') END));
END $$;

DROP FUNCTION IF EXISTS pg_catalog.redshift_declare(text, text, jsonb);
CREATE FUNCTION pg_catalog.redshift_declare(schema text, name text, given jsonb) RETURNS void LANGUAGE plpgsql AS
$$ DECLARE
  relation regclass := CASE schema WHEN '' THEN quote_ident(name)::regclass
    ELSE format('%I.%I', coalesce(schema, current_schema()), name)::regclass END;
  kept jsonb := CASE WHEN given ? 'alter' THEN redshift_declared(relation) ELSE '{}' END;
BEGIN
  IF given ? 'like' THEN
    kept := kept || redshift_inherited(
      (SELECT string_agg(quote_ident(value), '.') FROM jsonb_array_elements_text(given->'like'))::regclass, relation);
  END IF;
  IF given ? 'diststyle' THEN
    kept := jsonb_delete(kept, 'distkey') || jsonb_build_object('diststyle', given->'diststyle');
  END IF;
  IF given ? 'distkey' THEN
    kept := kept || jsonb_build_object('diststyle', 'key', 'distkey', redshift_column(relation, given->>'distkey'));
  END IF;
  IF given ? 'sortstyle' THEN
    kept := jsonb_delete(kept, 'sortkey') || jsonb_build_object('sortstyle', given->'sortstyle',
      'sortkey', redshift_columns(relation, coalesce(given->'sortkey', '[]')));
  END IF;
  IF given ? 'encode' THEN
    kept := kept || jsonb_build_object('encode', coalesce(kept->'encode', '{}') || (SELECT
      jsonb_object_agg(redshift_column(relation, key)::text, value) FROM jsonb_each(given->'encode')));
  END IF;
  IF given ? 'drop_constraint' THEN
    IF NOT coalesce(kept->'constraints', '[]') @> jsonb_build_array(jsonb_build_object('name', given->>'drop_constraint')) THEN
      RAISE EXCEPTION 'constraint "%" of relation "%" does not exist', given->>'drop_constraint', name USING ERRCODE = '42704';
    END IF;
    kept := jsonb_set(kept, '{constraints}', (SELECT coalesce(jsonb_agg(c), '[]')
      FROM jsonb_array_elements(kept->'constraints') c WHERE c->>'name' <> given->>'drop_constraint'));
  END IF;
  IF given ? 'constraints' THEN
    kept := kept || jsonb_build_object('constraints', coalesce(kept->'constraints', '[]') || (SELECT
      jsonb_agg(redshift_constraint(relation, c)) FROM jsonb_array_elements(given->'constraints') c));
    -- A primary key may not hold NULL: that much Redshift does enforce.
    EXECUTE (SELECT coalesce(string_agg(format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL', relation, a.attname), '; '), 'SELECT 1')
      FROM jsonb_array_elements(kept->'constraints') c, jsonb_array_elements_text(c->'columns') k
      JOIN pg_attribute a ON a.attrelid = relation AND a.attnum = k::int AND NOT a.attnotnull WHERE c->>'type' = 'p');
  END IF;
  EXECUTE format('COMMENT ON TYPE %s IS %L', relation, kept);
END $$;

-- Views on the catalog --------------------------------------------------------------------------------------------

CREATE OR REPLACE VIEW pg_catalog.redshift_table_columns AS
SELECT c.oid AS relation, n.nspname::text AS schemaname, c.relname::text AS tablename, a.attname::text AS "column",
  a.attnum::integer AS place, c.relkind,
  CASE a.atttypid WHEN 'jsonb'::regtype THEN 'super' WHEN 'bytea'::regtype THEN 'binary varying'
    ELSE format_type(a.atttypid, a.atttypmod) END AS type,
  CASE coalesce(d.j->'encode'->>a.attnum::text, 'auto')
    WHEN 'raw' THEN 'none'
    WHEN 'auto' THEN CASE
      WHEN d.j->'sortkey' @> to_jsonb(a.attnum::int) THEN 'none'
      WHEN a.atttypid IN ('bool'::regtype, 'float4'::regtype, 'float8'::regtype, 'jsonb'::regtype) THEN 'none'
      WHEN a.atttypid IN ('varchar'::regtype, 'bpchar'::regtype, 'bytea'::regtype) THEN 'lzo'
      ELSE 'az64' END
    ELSE d.j->'encode'->>a.attnum::text END AS encoding,
  coalesce((d.j->>'distkey')::int = a.attnum, false) AS distkey,
  coalesce((SELECT s.place::int * CASE WHEN d.j->>'sortstyle' = 'interleaved' AND s.place % 2 = 0 THEN -1 ELSE 1 END
    FROM jsonb_array_elements_text(d.j->'sortkey') WITH ORDINALITY AS s(number, place)
    WHERE s.number::int = a.attnum), 0) AS sortkey,
  a.attnotnull AS "notnull", d.j AS declared, a.atttypmod AS modifier, a.atttypid AS type_id
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
CROSS JOIN LATERAL (SELECT redshift_declared(c.oid) AS j) d
WHERE c.relkind IN ('r', 'p', 'v', 'm');

CREATE OR REPLACE VIEW pg_catalog.pg_table_def AS
SELECT schemaname, tablename, "column", type, encoding, distkey, sortkey, "notnull"
FROM pg_catalog.redshift_table_columns WHERE relkind = 'r' AND schemaname = ANY (current_schemas(true)::text[])
ORDER BY schemaname, tablename, place;

CREATE OR REPLACE VIEW pg_catalog.svv_columns AS
SELECT table_catalog::text, table_schema::text, table_name::text, column_name::text, ordinal_position::integer,
  -- Redshift shows an IDENTITY column by the function that fills it.
  coalesce(column_default::text, CASE identity_generation::text WHEN 'ALWAYS' THEN '"identity"'
    WHEN 'BY DEFAULT' THEN 'default_identity' END || format('(%s, %s, ''%s,%s''::text)',
    to_regclass(format('%I.%I', table_schema, table_name))::oid, ordinal_position - 1, identity_start,
    identity_increment)) AS column_default, is_nullable::text,
  CASE data_type WHEN 'jsonb' THEN 'super' WHEN 'bytea' THEN 'binary varying' ELSE data_type::text END AS data_type,
  character_maximum_length::integer, numeric_precision::integer,
  numeric_precision_radix::integer, numeric_scale::integer, datetime_precision::integer, NULL::text AS interval_type,
  NULL::text AS interval_precision, NULL::text AS character_set_catalog, NULL::text AS character_set_schema,
  NULL::text AS character_set_name, NULL::text AS collation_catalog, NULL::text AS collation_schema,
  NULL::text AS collation_name, domain_name::text, NULL::text AS remarks
FROM information_schema.columns;

CREATE OR REPLACE VIEW pg_catalog.svv_tables AS
SELECT table_catalog::text, table_schema::text, table_name::text, table_type::text, NULL::text AS remarks
FROM information_schema.tables;

-- Declared constraints, one row for each column.
CREATE OR REPLACE VIEW pg_catalog.redshift_declared_keys AS
SELECT n.nspname AS table_schema, c.oid AS relation, c.relname AS table_name, k->>'name' AS constraint_name,
  CASE k->>'type' WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' ELSE 'FOREIGN KEY' END AS constraint_type,
  a.attname AS column_name, e.place::int AS place
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL jsonb_array_elements(redshift_declared(c.oid)->'constraints') k
CROSS JOIN LATERAL jsonb_array_elements_text(k->'columns') WITH ORDINALITY AS e(number, place)
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = e.number::int AND NOT a.attisdropped
WHERE c.relkind = 'r' AND n.nspname <> 'pg_catalog';

CREATE OR REPLACE VIEW information_schema.table_constraints AS
SELECT DISTINCT current_database()::information_schema.sql_identifier AS constraint_catalog,
  table_schema::information_schema.sql_identifier AS constraint_schema,
  constraint_name::information_schema.sql_identifier AS constraint_name,
  current_database()::information_schema.sql_identifier AS table_catalog,
  table_schema::information_schema.sql_identifier AS table_schema,
  table_name::information_schema.sql_identifier AS table_name,
  constraint_type::information_schema.character_data AS constraint_type,
  'NO'::information_schema.yes_or_no AS is_deferrable,
  'NO'::information_schema.yes_or_no AS initially_deferred,
  'NO'::information_schema.yes_or_no AS enforced,
  NULL::information_schema.yes_or_no AS nulls_distinct
FROM pg_catalog.redshift_declared_keys;

CREATE OR REPLACE VIEW information_schema.key_column_usage AS
SELECT current_database()::information_schema.sql_identifier AS constraint_catalog,
  table_schema::information_schema.sql_identifier AS constraint_schema,
  constraint_name::information_schema.sql_identifier AS constraint_name,
  current_database()::information_schema.sql_identifier AS table_catalog,
  table_schema::information_schema.sql_identifier AS table_schema,
  table_name::information_schema.sql_identifier AS table_name,
  column_name::information_schema.sql_identifier AS column_name,
  place::information_schema.cardinal_number AS ordinal_position,
  NULL::information_schema.cardinal_number AS position_in_unique_constraint
FROM pg_catalog.redshift_declared_keys;

-- What COPY leaves behind -----------------------------------------------------------------------------------------

CREATE SEQUENCE IF NOT EXISTS pg_catalog.redshift_query_id;

CREATE TABLE IF NOT EXISTS pg_catalog.redshift_load_errors (
  userid integer, query bigint, transaction_id bigint, session_id integer, database_name text, tbl bigint,
  starttime timestamp, filename text, line_number bigint, colname text, type text, col_length text, position integer,
  raw_line text, raw_field_value text, err_code integer, err_reason text, public_reason text);

CREATE TABLE IF NOT EXISTS pg_catalog.redshift_load_history (
  user_id integer, query_id bigint, transaction_id bigint, session_id integer, database_name text, status text,
  table_name text, start_time timestamp, end_time timestamp, data_source text, loaded_rows bigint, loaded_bytes bigint,
  source_file_count integer, error_count bigint, error_message text);

CREATE TABLE IF NOT EXISTS pg_catalog.stl_replacements (
  userid integer, query bigint, slice integer, tbl bigint, starttime timestamp, session integer, filename text,
  line_number bigint, colname text, raw_line text);

CREATE TABLE IF NOT EXISTS pg_catalog.stl_unload_log (
  userid integer, query bigint, slice integer, pid integer, path text, start_time timestamp, end_time timestamp,
  line_count bigint, transfer_size bigint, file_format text);

CREATE OR REPLACE VIEW pg_catalog.stl_load_errors AS
SELECT userid, 0 AS slice, tbl, starttime, session_id AS session, query, filename::char(256) AS filename,
  line_number, colname::char(127) AS colname, type::char(10) AS type, col_length::char(10) AS col_length, position,
  raw_line::char(1024) AS raw_line, raw_field_value::char(1024) AS raw_field_value, err_code,
  err_reason::char(100) AS err_reason, 0 AS is_partial, 0::bigint AS start_offset
FROM pg_catalog.redshift_load_errors;

CREATE OR REPLACE VIEW pg_catalog.sys_load_error_detail AS
SELECT userid AS user_id, query AS query_id, transaction_id, session_id, database_name::char(64) AS database_name,
  tbl::integer AS table_id, starttime AS start_time, filename::char(256) AS file_name, line_number,
  colname::char(127) AS column_name, type::char(10) AS column_type, col_length::char(10) AS column_length, position,
  err_code AS error_code, public_reason::char(512) AS error_message
FROM pg_catalog.redshift_load_errors;

CREATE OR REPLACE VIEW pg_catalog.sys_load_history AS
SELECT user_id, query_id, transaction_id, session_id, database_name, status, table_name, start_time, end_time,
  (extract(epoch FROM end_time - start_time) * 1000000)::bigint AS duration, data_source, loaded_rows, loaded_bytes,
  source_file_count, error_count, error_message
FROM pg_catalog.redshift_load_history;

GRANT SELECT ON pg_catalog.pg_table_def, pg_catalog.svv_columns, pg_catalog.svv_tables,
  pg_catalog.redshift_table_columns, pg_catalog.redshift_declared_keys, pg_catalog.stl_load_errors,
  pg_catalog.sys_load_error_detail, pg_catalog.sys_load_history, pg_catalog.stl_replacements,
  pg_catalog.stl_unload_log,
  information_schema.table_constraints, information_schema.key_column_usage TO PUBLIC;
