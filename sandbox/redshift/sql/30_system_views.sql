-- System tables and views that clients ask for, as far as Postgres knows what is in them (Developer Guide, "System
-- tables and views reference"). What is not here does not exist: a query that names it fails by name.

CREATE TABLE IF NOT EXISTS pg_catalog.redshift_query_log (
  query bigint, user_name text, pid integer, database_name text, start_time timestamp, end_time timestamp,
  failed boolean, query_text text, query_group text);

CREATE TABLE IF NOT EXISTS pg_catalog.redshift_load_files (
  userid integer, query bigint, transaction_id bigint, session_id integer, database_name text, table_name text,
  filename text, file_bytes bigint, lines_scanned bigint, errors integer, curtime timestamp, file_format text);

CREATE OR REPLACE FUNCTION pg_catalog.redshift_query_type(query text) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT CASE lower(substring(query FROM '[a-zA-Z]+'))
     WHEN 'select' THEN 'SELECT' WHEN 'with' THEN 'SELECT' WHEN 'insert' THEN 'INSERT' WHEN 'update' THEN 'UPDATE'
     WHEN 'delete' THEN 'DELETE' WHEN 'merge' THEN 'MERGE' WHEN 'copy' THEN 'COPY' WHEN 'unload' THEN 'UNLOAD'
     WHEN 'create' THEN CASE WHEN query ~* '\mas\M\s*\(?\s*(select|with)\M' AND query ~* '^\W*create\s+(local\s+)?(temp\w*\s+)?table'
       THEN 'CTAS' ELSE 'DDL' END
     WHEN 'alter' THEN 'DDL' WHEN 'drop' THEN 'DDL' WHEN 'truncate' THEN 'DDL'
     ELSE 'UTILITY' END $$;

CREATE OR REPLACE VIEW pg_catalog.sys_query_history AS
SELECT r.oid::integer AS user_id, l.query AS query_id, l.query_group AS query_label, l.pid AS session_id,
  l.database_name, redshift_query_type(l.query_text) AS query_type,
  CASE WHEN l.failed THEN 'failed' ELSE 'success' END AS status, false AS result_cache_hit, l.start_time, l.end_time,
  (extract(epoch FROM l.end_time - l.start_time) * 1000000)::bigint AS elapsed_time, 0::bigint AS queue_time,
  (extract(epoch FROM l.end_time - l.start_time) * 1000000)::bigint AS execution_time, l.query_text
FROM pg_catalog.redshift_query_log l LEFT JOIN pg_roles r ON r.rolname = l.user_name
WHERE l.user_name = current_user OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);

CREATE OR REPLACE VIEW pg_catalog.stl_query AS
SELECT user_id AS userid, query_id AS query, query_label::char(320) AS label, session_id AS pid,
  database_name::char(32) AS database, query_text::char(4000) AS querytxt, start_time AS starttime, end_time AS endtime,
  CASE status WHEN 'failed' THEN 1 ELSE 0 END AS aborted, 0 AS insert_pristine, 0 AS concurrency_scaling_status
FROM pg_catalog.sys_query_history WHERE query_type NOT IN ('DDL', 'UTILITY');

CREATE OR REPLACE VIEW pg_catalog.svl_qlog AS
SELECT userid, query, pid, starttime, endtime, (extract(epoch FROM endtime - starttime) * 1000000)::bigint AS elapsed,
  aborted, label, left(querytxt, 60)::char(60) AS substring, NULL::bigint AS source_query, NULL::text AS concurrency_scaling_status_txt,
  0 AS from_sp_call
FROM pg_catalog.stl_query;

CREATE OR REPLACE VIEW pg_catalog.stl_ddltext AS
SELECT user_id AS userid, session_id AS pid, query_label::char(320) AS label, start_time AS starttime, end_time AS endtime,
  s.number::integer AS sequence, substr(query_text, s.number * 200 + 1, 200)::char(200) AS text
FROM pg_catalog.sys_query_history CROSS JOIN LATERAL generate_series(0, greatest(length(query_text) - 1, 0) / 200) AS s(number)
WHERE query_type IN ('DDL', 'CTAS');

CREATE OR REPLACE VIEW pg_catalog.stl_querytext AS
SELECT user_id AS userid, session_id AS pid, query_id AS query, s.number::integer AS sequence,
  substr(query_text, s.number * 200 + 1, 200)::char(200) AS text
FROM pg_catalog.sys_query_history CROSS JOIN LATERAL generate_series(0, greatest(length(query_text) - 1, 0) / 200) AS s(number)
WHERE query_type NOT IN ('DDL', 'UTILITY');

CREATE OR REPLACE VIEW pg_catalog.sys_query_text AS
SELECT user_id, query_id, NULL::bigint AS transaction_id, session_id, start_time, s.number::integer AS sequence,
  substr(query_text, s.number * 200 + 1, 200)::char(200) AS text
FROM pg_catalog.sys_query_history CROSS JOIN LATERAL generate_series(0, greatest(length(query_text) - 1, 0) / 200) AS s(number);

CREATE OR REPLACE VIEW pg_catalog.stl_utilitytext AS
SELECT user_id AS userid, NULL::bigint AS xid, session_id AS pid, query_label::char(320) AS label, start_time AS starttime,
  end_time AS endtime, s.number::integer AS sequence, substr(query_text, s.number * 200 + 1, 200)::char(200) AS text
FROM pg_catalog.sys_query_history CROSS JOIN LATERAL generate_series(0, greatest(length(query_text) - 1, 0) / 200) AS s(number)
WHERE query_type = 'UTILITY';

CREATE OR REPLACE VIEW pg_catalog.svl_statementtext AS
SELECT user_id AS userid, session_id AS pid, query_label::char(320) AS label, start_time AS starttime, end_time AS endtime,
  s.number::integer AS sequence, CASE query_type WHEN 'UTILITY' THEN 'UTILITY' WHEN 'DDL' THEN 'DDL' ELSE 'QUERY' END AS type,
  substr(query_text, s.number * 200 + 1, 200)::char(200) AS text
FROM pg_catalog.sys_query_history CROSS JOIN LATERAL generate_series(0, greatest(length(query_text) - 1, 0) / 200) AS s(number);

CREATE OR REPLACE VIEW pg_catalog.stl_load_commits AS
SELECT userid, query, 0 AS slice, NULL::char(256) AS name, filename::char(256) AS filename, 0 AS byte_offset,
  lines_scanned::integer AS lines_scanned, errors, curtime, 1 AS status, file_format::char(16) AS file_format,
  0 AS is_partial, 0::bigint AS start_offset
FROM pg_catalog.redshift_load_files;

CREATE OR REPLACE VIEW pg_catalog.sys_load_detail AS
SELECT userid AS user_id, query AS query_id, transaction_id, session_id, database_name::char(64) AS database_name,
  table_name::char(128) AS table_name, filename::char(256) AS file_name, file_bytes AS bytes_scanned, lines_scanned,
  errors AS error_count, curtime AS record_time, file_format::char(16) AS file_format
FROM pg_catalog.redshift_load_files;

CREATE OR REPLACE VIEW pg_catalog.stl_loaderror_detail AS
SELECT userid, 0 AS slice, session_id AS session, query, filename::char(256) AS filename, line_number, 0 AS field,
  colname::char(1024) AS colname, raw_field_value::char(1024) AS value, 0 AS is_null, type::char(10) AS type,
  col_length::char(10) AS col_length
FROM pg_catalog.redshift_load_errors;

CREATE OR REPLACE VIEW pg_catalog.sys_unload_history AS
SELECT userid AS user_id, query AS query_id, pid AS session_id, 'completed'::text AS status, min(start_time) AS start_time,
  max(end_time) AS end_time, (extract(epoch FROM max(end_time) - min(start_time)) * 1000000)::bigint AS duration,
  file_format::text AS file_format, sum(line_count)::bigint AS unloaded_rows, count(*)::bigint AS unloaded_files_count,
  sum(transfer_size)::bigint AS unloaded_files_size, NULL::text AS error_message
FROM pg_catalog.stl_unload_log GROUP BY userid, query, pid, file_format;

CREATE OR REPLACE VIEW pg_catalog.sys_unload_detail AS
SELECT userid AS user_id, query AS query_id, pid AS session_id, path AS file_name, start_time, end_time,
  line_count, transfer_size, file_format
FROM pg_catalog.stl_unload_log;

-- Sessions, locks and transactions: Postgres' own, in Redshift's columns ----------------------------------------------

CREATE OR REPLACE VIEW pg_catalog.stv_sessions AS
SELECT (backend_start AT TIME ZONE 'UTC') AS starttime, pid AS process, usename::char(50) AS user_name,
  datname::char(50) AS db_name, 0 AS timeout_sec
FROM pg_stat_activity WHERE backend_type = 'client backend';

CREATE OR REPLACE VIEW pg_catalog.stv_recents AS
SELECT usesysid::integer AS userid, (CASE state WHEN 'active' THEN 'Running' ELSE 'Done' END)::char(20) AS status,
  (query_start AT TIME ZONE 'UTC') AS starttime,
  (extract(epoch FROM coalesce(CASE WHEN state = 'active' THEN clock_timestamp() END, state_change) - query_start)
    * 1000000)::bigint AS duration,
  usename::char(50) AS user_name, datname::char(50) AS db_name, query::char(600) AS query,
  CASE WHEN state = 'active' THEN pid ELSE -1 END AS pid
FROM pg_stat_activity WHERE backend_type = 'client backend' AND query <> '';

CREATE OR REPLACE VIEW pg_catalog.stv_inflight AS
SELECT usesysid::integer AS userid, 0 AS slice, 0 AS query, current_setting('redshift.query_group', true)::char(320) AS label,
  backend_xid::text::bigint AS xid, pid, (query_start AT TIME ZONE 'UTC') AS starttime, query::char(100) AS text, 0 AS suspended,
  0 AS insert_pristine, 0 AS concurrency_scaling_status
FROM pg_stat_activity WHERE backend_type = 'client backend' AND state = 'active';

CREATE OR REPLACE VIEW pg_catalog.svv_transactions AS
SELECT a.usename::text AS txn_owner, a.datname::text AS txn_db, l.virtualtransaction AS xid, l.pid,
  (a.xact_start AT TIME ZONE 'UTC') AS txn_start, l.mode AS lock_mode, l.locktype AS lockable_object_type,
  l.relation::integer AS relation, l.granted
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype IN ('relation', 'transactionid') AND (l.relation IS NULL OR l.relation >= 16384);

CREATE OR REPLACE VIEW pg_catalog.stv_locks AS
SELECT l.relation::integer AS table_id, NULL::timestamp AS last_commit, NULL::timestamp AS last_update,
  l.virtualtransaction AS lock_owner, l.pid AS lock_owner_pid, (a.xact_start AT TIME ZONE 'UTC') AS lock_owner_start_ts,
  NULL::timestamp AS lock_owner_end_ts,
  (CASE WHEN l.granted THEN 'Holding ' ELSE 'Waiting for ' END || l.mode)::char(64) AS lock_status
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'relation' AND l.relation >= 16384;

CREATE OR REPLACE VIEW pg_catalog.stv_db_isolation_level AS
SELECT current_database()::text AS db_name, CASE current_setting('default_transaction_isolation')
  WHEN 'serializable' THEN 'Serializable' ELSE 'Snapshot Isolation' END AS isolation_level;

CREATE OR REPLACE VIEW pg_catalog.stv_slices AS
SELECT 0 AS node, number AS slice, number AS localslice, 'D'::char(1) AS type FROM generate_series(0, 1) AS s(number);

-- Objects -------------------------------------------------------------------------------------------------------------

CREATE OR REPLACE VIEW pg_catalog.svv_redshift_databases AS
SELECT datname::text AS database_name, datdba::integer AS database_owner, 'local'::text AS database_type,
  array_to_string(datacl, ',') AS database_acl, ''::text AS database_options, 'Serializable'::text AS database_isolation_level
FROM pg_database WHERE datallowconn AND NOT datistemplate;

CREATE OR REPLACE VIEW pg_catalog.svv_redshift_schemas AS
SELECT current_database()::text AS database_name, nspname::text AS schema_name, nspowner::integer AS schema_owner,
  'local'::text AS schema_type, array_to_string(nspacl, ',') AS schema_acl, NULL::text AS schema_option
FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%';

CREATE OR REPLACE VIEW pg_catalog.svv_all_schemas AS
SELECT database_name, schema_name, schema_owner, schema_type, schema_acl, NULL::text AS source_database, schema_option
FROM pg_catalog.svv_redshift_schemas;

CREATE OR REPLACE VIEW pg_catalog.svv_redshift_tables AS
SELECT current_database()::text AS database_name, n.nspname::text AS schema_name, c.relname::text AS table_name,
  CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'VIEW' ELSE 'TABLE' END AS table_type,
  array_to_string(c.relacl, ',') AS table_acl, obj_description(c.oid, 'pg_class') AS remarks, r.rolname::text AS table_owner
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema';

CREATE OR REPLACE VIEW pg_catalog.svv_all_tables AS
SELECT database_name, schema_name, table_name, table_type, table_acl, remarks FROM pg_catalog.svv_redshift_tables;

CREATE OR REPLACE VIEW pg_catalog.svv_redshift_columns AS
SELECT current_database()::text AS database_name, c.schemaname AS schema_name, c.tablename AS table_name,
  c."column" AS column_name, c.place AS ordinal_position, regexp_replace(c.type, '\(.*\)', '') AS data_type,
  v.column_default, CASE WHEN c."notnull" THEN 'NO' ELSE 'YES' END AS is_nullable, c.encoding, c.distkey, c.sortkey,
  NULL::text AS column_acl, col_description(c.relation, c.place) AS remarks,
  v.character_maximum_length, v.numeric_precision, v.numeric_scale
FROM pg_catalog.redshift_table_columns c
LEFT JOIN pg_catalog.svv_columns v ON v.table_schema = c.schemaname AND v.table_name = c.tablename AND v.column_name = c."column"
WHERE c.schemaname NOT LIKE 'pg\_%' AND c.schemaname <> 'information_schema';

CREATE OR REPLACE VIEW pg_catalog.svv_all_columns AS
SELECT database_name, schema_name, table_name, column_name, ordinal_position, column_default, is_nullable, data_type,
  character_maximum_length, numeric_precision, numeric_scale, remarks
FROM pg_catalog.svv_redshift_columns;

CREATE OR REPLACE VIEW pg_catalog.svv_external_schemas AS
SELECT NULL::integer AS esoid, NULL::integer AS eskind, NULL::text AS schemaname, NULL::integer AS esowner,
  NULL::text AS databasename, NULL::text AS esoptions WHERE false;
CREATE OR REPLACE VIEW pg_catalog.svv_external_tables AS
SELECT NULL::text AS redshift_database_name, NULL::text AS schemaname, NULL::text AS tablename, NULL::text AS tabletype,
  NULL::text AS location, NULL::text AS parameters WHERE false;
CREATE OR REPLACE VIEW pg_catalog.svv_external_columns AS
SELECT NULL::text AS redshift_database_name, NULL::text AS schemaname, NULL::text AS tablename, NULL::text AS columnname,
  NULL::text AS external_type, NULL::integer AS columnnum, NULL::integer AS part_key, NULL::text AS is_nullable WHERE false;

CREATE OR REPLACE VIEW pg_catalog.svv_user_info AS
SELECT rolname::text AS user_name, oid::integer AS user_id, rolcreatedb AS createdb, rolsuper AS superuser,
  rolsuper AS catalog_update, rolconnlimit::text AS connection_limit, 'RESTRICTED'::text AS syslog_access,
  NULL::timestamp AS last_ddl_timestamp, 0 AS session_timeout, NULL::text AS external_user_id
FROM pg_roles WHERE rolcanlogin;

CREATE OR REPLACE VIEW pg_catalog.svv_roles AS
SELECT oid::integer AS role_id, rolname::text AS role_name, NULL::text AS role_owner, NULL::text AS external_id
FROM pg_roles WHERE NOT rolcanlogin AND rolname NOT LIKE 'pg\_%';

CREATE OR REPLACE VIEW pg_catalog.svv_relation_privileges AS
SELECT n.nspname::text AS namespace_name, c.relname::text AS relation_name, p.privilege_type::text,
  p.grantee::integer AS identity_id, coalesce(r.rolname::text, 'public') AS identity_name,
  CASE WHEN r.oid IS NULL THEN 'public' WHEN r.rolcanlogin THEN 'user' ELSE 'role' END AS identity_type,
  p.is_grantable AS admin_option
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL aclexplode(c.relacl) p
LEFT JOIN pg_roles r ON r.oid = p.grantee
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema';

CREATE OR REPLACE VIEW pg_catalog.svv_schema_privileges AS
SELECT n.nspname::text AS namespace_name, p.privilege_type::text, p.grantee::integer AS identity_id,
  coalesce(r.rolname::text, 'public') AS identity_name,
  CASE WHEN r.oid IS NULL THEN 'public' WHEN r.rolcanlogin THEN 'user' ELSE 'role' END AS identity_type
FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) p LEFT JOIN pg_roles r ON r.oid = p.grantee
WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema';

CREATE OR REPLACE VIEW pg_catalog.svv_mv_info AS
SELECT current_database()::char(128) AS database_name, n.nspname::char(128) AS schema_name, r.rolname::char(128) AS user_name,
  c.relname::char(128) AS name, false AS is_stale, c.relowner::integer AS owner_user_name, 1 AS state,
  'f'::char(1) AS autorewrite, 'f'::char(1) AS autorefresh
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner WHERE c.relkind = 'm';

-- The table of what a table is like: what VACUUM and ANALYZE have still to do is Postgres' own count of changed rows.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('pg_catalog.svv_table_info') AND attname = 'stats_off') THEN
    DROP VIEW IF EXISTS pg_catalog.svv_table_info CASCADE;
  END IF;
END $$;
CREATE OR REPLACE VIEW pg_catalog.svv_table_info AS
SELECT current_database()::text AS database, n.nspname::text AS schema, c.oid AS table_id, c.relname::text AS "table",
  CASE WHEN d.j ? 'encode' THEN 'Y' ELSE 'Y, AUTO(ENCODE)' END AS encoded,
  CASE WHEN d.j ? 'distkey' THEN 'KEY(' || (SELECT attname FROM pg_attribute WHERE attrelid = c.oid
      AND attnum = (d.j->>'distkey')::int) || ')'
    WHEN coalesce(d.j->>'diststyle', 'auto') = 'auto' THEN 'AUTO(ALL)' ELSE upper(d.j->>'diststyle') END AS diststyle,
  CASE WHEN d.j->>'sortstyle' = 'interleaved' THEN 'INTERLEAVED'
    ELSE coalesce((SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum = (d.j->'sortkey'->>0)::int),
      'AUTO(SORTKEY)') END AS sortkey1,
  (SELECT max(a.atttypmod - 4) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.atttypid = 'varchar'::regtype
    AND a.attnum > 0 AND NOT a.attisdropped) AS max_varchar,
  (SELECT t.encoding FROM pg_catalog.redshift_table_columns t WHERE t.relation = c.oid AND abs(t.sortkey) = 1)::char(32) AS sortkey1_enc,
  coalesce(jsonb_array_length(d.j->'sortkey'), 0) AS sortkey_num,
  (pg_total_relation_size(c.oid) / 1048576)::bigint AS size, 0::numeric(10,4) AS pct_used, 0::bigint AS empty,
  CASE WHEN d.j ? 'sortkey' THEN
    least(100, round(100.0 * coalesce(s.n_ins_since_vacuum, 0) / greatest(s.n_live_tup, 1), 2))::numeric(5,2) END AS unsorted,
  CASE WHEN s.last_analyze IS NULL AND s.last_autoanalyze IS NULL AND coalesce(s.n_live_tup, 0) > 0 THEN 100
    ELSE least(100, round(100.0 * coalesce(s.n_mod_since_analyze, 0) / greatest(s.n_live_tup, 1), 2)) END::numeric(5,2) AS stats_off,
  (coalesce(s.n_live_tup, 0) + coalesce(s.n_dead_tup, 0))::numeric(38,0) AS tbl_rows,
  NULL::numeric(19,2) AS skew_sortkey1, NULL::numeric(19,2) AS skew_rows,
  coalesce(s.n_live_tup, 0)::numeric(38,0) AS estimated_visible_rows, NULL::text AS risk_event,
  NULL::numeric(12,2) AS vacuum_sort_benefit, NULL::timestamp AS create_time
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
CROSS JOIN LATERAL (SELECT redshift_declared(c.oid) AS j) d
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast');

DO $$ DECLARE name text;
BEGIN
  FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'v'
    AND relname ~ '^(sys|stl|stv|svv|svl)_' LOOP
    EXECUTE format('GRANT SELECT ON pg_catalog.%I TO PUBLIC', name);
  END LOOP;
END $$;
