-- Declared keys where psql and drivers look for them: in pg_constraint, and in pg_index, whose indexes are relations with
-- columns. Nothing of it is in Postgres' own catalog, since nobody checks these keys; statements that ask for it are given
-- the views here in place of Postgres' tables (sandbox/redshift/rewrite/words.py).

-- One row for each constraint; its number is above all that Postgres gives.
CREATE OR REPLACE VIEW pg_catalog.redshift_constraint_list AS
SELECT (2147483648 + (hashtext(c.oid || '.' || (k->>'name')) & 2147483647))::oid AS number, c.oid AS relation, c.relnamespace,
  k->>'name' AS name, k->>'type' AS type, (k->>'references')::bigint::oid AS target, places.columns, places.referenced
FROM pg_class c
CROSS JOIN LATERAL jsonb_array_elements(redshift_declared(c.oid)->'constraints') k
CROSS JOIN LATERAL (SELECT
  ARRAY(SELECT e.value::int2 FROM jsonb_array_elements_text(k->'columns') WITH ORDINALITY AS e(value, place) ORDER BY e.place) AS columns,
  -- Without columns a reference is to the primary key.
  ARRAY(SELECT e.value::int2 FROM jsonb_array_elements_text(coalesce(nullif(k->'referenced_columns', '[]'), (SELECT p->'columns'
    FROM jsonb_array_elements(redshift_declared((k->>'references')::bigint::oid)->'constraints') p WHERE p->>'type' = 'p')))
    WITH ORDINALITY AS e(value, place) ORDER BY e.place) AS referenced) places
WHERE c.relkind = 'r' AND c.oid >= 16384
  AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (places.columns) AND a.attisdropped);

CREATE OR REPLACE VIEW pg_catalog.redshift_constraints AS
SELECT k.number AS oid, k.name::name AS conname, k.relnamespace AS connamespace, k.type::"char" AS contype, false AS condeferrable,
  false AS condeferred, false AS conenforced, true AS convalidated, k.relation AS conrelid, 0::oid AS contypid,
  CASE k.type WHEN 'f' THEN coalesce(p.number, 0::oid) ELSE k.number END AS conindid, 0::oid AS conparentid,
  coalesce(k.target, 0::oid) AS confrelid, w.action AS confupdtype, w.action AS confdeltype, w.match AS confmatchtype,
  true AS conislocal, 0::int2 AS coninhcount, true AS connoinherit, false AS conperiod, k.columns AS conkey,
  CASE k.type WHEN 'f' THEN k.referenced END AS confkey, NULL::text AS conbin, NULL::text AS consrc
FROM redshift_constraint_list k
LEFT JOIN redshift_constraint_list p ON p.relation = k.target AND p.type = 'p'
CROSS JOIN LATERAL (SELECT CASE k.type WHEN 'f' THEN 'a' ELSE ' ' END::"char" AS action, CASE k.type WHEN 'f' THEN 's' ELSE ' ' END::"char" AS match) w;

-- Of these rows those of Postgres come first, then those of the keys, which are like their table's but for what is named.
DO $$ DECLARE
  own text := $q$ FROM pg_catalog.redshift_constraint_list k JOIN %s WHERE k.type IN ('p', 'u')$q$;
  shown text := 'SELECT string_agg(coalesce($2->>attname, format(''c.%%I'', attname)), '', '' ORDER BY attnum) FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0';
  class text;
  keys text;
  attributes text;
BEGIN
  EXECUTE replace(shown, '%%', '%') INTO class USING 'pg_class', '{
    "relhasindex": "c.relhasindex OR EXISTS (SELECT FROM redshift_constraint_list k WHERE k.relation = c.oid AND k.type <> ''f'') AS relhasindex",
    "relhastriggers": "c.relhastriggers OR EXISTS (SELECT FROM redshift_constraint_list k WHERE c.oid IN (k.relation, k.target) AND k.type = ''f'') AS relhastriggers"}'::jsonb;
  EXECUTE replace(shown, '%%', '%') INTO keys USING 'pg_class', '{"oid": "k.number", "relname": "k.name::name", "reltype": "0::oid",
    "relam": "403::oid", "relkind": "''i''::\"char\"", "relhasindex": "false", "relnatts": "cardinality(k.columns)::int2"}'::jsonb;
  EXECUTE replace(shown, '%%', '%') INTO attributes USING 'pg_attribute', '{"attrelid": "k.number",
    "attnum": "array_position(k.columns, c.attnum)::int2"}'::jsonb;
  EXECUTE format('CREATE OR REPLACE VIEW pg_catalog.redshift_class AS SELECT c.*, CASE redshift_declared(c.oid)->>''diststyle''
    WHEN ''even'' THEN 0 WHEN ''key'' THEN 1 WHEN ''all'' THEN 8 ELSE 9 END AS reldiststyle
    FROM (SELECT %s FROM pg_class c UNION ALL SELECT %s %s) c', class, keys, format(own, 'pg_class c ON c.oid = k.relation'));
  EXECUTE format('CREATE OR REPLACE VIEW pg_catalog.redshift_attributes AS
    SELECT a.*, coalesce(array_position(redshift_encodings(), c.encoding), 1) AS attencodingtype,
      coalesce(c.distkey, false) AS attisdistkey, coalesce(c.sortkey, 0) AS attsortkeyord
    FROM (SELECT * FROM pg_attribute UNION ALL SELECT %s %s) a
    LEFT JOIN redshift_table_columns c ON c.relation = a.attrelid AND c.place = a.attnum',
    attributes, format(own, 'pg_attribute c ON c.attrelid = k.relation AND c.attnum = ANY (k.columns)'));
END $$;

CREATE OR REPLACE VIEW pg_catalog.redshift_index AS
SELECT indexrelid, indrelid, indnatts, indnkeyatts, indisunique, indisprimary, indisexclusion, indimmediate, indisclustered, indisvalid,
  indisreplident, indkey, pg_get_expr(indexprs, indrelid) AS indexprs, pg_get_expr(indpred, indrelid) AS indpred FROM pg_index
UNION ALL
SELECT number, relation, cardinality(columns)::int2, cardinality(columns)::int2, true, type = 'p', false, true, false, true, false,
  array_to_string(columns, ' ')::int2vector, NULL, NULL
FROM redshift_constraint_list WHERE type IN ('p', 'u');

-- A reference depends on the key that it is to.
CREATE OR REPLACE VIEW pg_catalog.redshift_depend AS
SELECT classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype FROM pg_depend
UNION ALL
SELECT 'pg_constraint'::regclass, oid, 0, 'pg_class'::regclass, conindid, 0, 'n' FROM redshift_constraints WHERE contype = 'f';

CREATE OR REPLACE FUNCTION pg_catalog.redshift_column_names(relation oid, places int2[]) RETURNS text LANGUAGE sql STABLE AS
$$ SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY p.number) FROM unnest(places) WITH ORDINALITY AS p(place, number)
   JOIN pg_attribute a ON a.attrelid = relation AND a.attnum = p.place $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_constraintdef(shown oid, pretty boolean DEFAULT false) RETURNS text LANGUAGE sql STABLE STRICT AS
$$ SELECT coalesce((SELECT format('%s (%s)', CASE k.type WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' ELSE 'FOREIGN KEY' END,
       redshift_column_names(k.relation, k.columns))
       || CASE k.type WHEN 'f' THEN format(' REFERENCES %s(%s)', k.target::regclass, redshift_column_names(k.target, k.referenced)) ELSE '' END
     FROM redshift_constraint_list k WHERE k.number = shown), pg_get_constraintdef(shown, pretty)) $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_indexdef(shown oid, column_place integer DEFAULT 0, pretty boolean DEFAULT false)
RETURNS text LANGUAGE sql STABLE STRICT AS
$$ SELECT coalesce((SELECT CASE column_place WHEN 0 THEN format('CREATE UNIQUE INDEX %I ON %s USING btree (%s)', k.name, k.relation::regclass,
       redshift_column_names(k.relation, k.columns)) ELSE redshift_column_names(k.relation, k.columns[column_place:column_place]) END
     FROM redshift_constraint_list k WHERE k.number = shown), pg_get_indexdef(shown, column_place, pretty)) $$;

-- SHOW CONSTRAINTS; the rules are JDBC's numbers for NO ACTION and NOT DEFERRABLE.
CREATE OR REPLACE VIEW pg_catalog.redshift_show_primary_keys AS
SELECT current_database()::text AS database_name, table_schema::text AS schema_name, table_name::text, constraint_name AS pk_name,
  column_name::text, place AS key_seq
FROM pg_catalog.redshift_declared_keys WHERE constraint_type = 'PRIMARY KEY';
CREATE OR REPLACE VIEW pg_catalog.redshift_show_foreign_keys AS
SELECT current_database()::text AS pk_database_name, pn.nspname::text AS pk_schema_name, pc.relname::text AS pk_table_name,
  pa.attname::text AS pk_column_name, current_database()::text AS fk_database_name, fn.nspname::text AS fk_schema_name,
  fc.relname::text AS fk_table_name, fa.attname::text AS fk_column_name, e.place::integer AS key_seq, k.name AS fk_name,
  (SELECT name FROM redshift_constraint_list p WHERE p.relation = k.target AND p.type = 'p') AS pk_name,
  3::smallint AS update_rule, 3::smallint AS delete_rule, 7::smallint AS deferrability
FROM pg_catalog.redshift_constraint_list k
CROSS JOIN LATERAL unnest(k.columns, k.referenced) WITH ORDINALITY AS e(own, other, place)
JOIN pg_class fc ON fc.oid = k.relation JOIN pg_namespace fn ON fn.oid = fc.relnamespace
JOIN pg_class pc ON pc.oid = k.target JOIN pg_namespace pn ON pn.oid = pc.relnamespace
JOIN pg_attribute fa ON fa.attrelid = k.relation AND fa.attnum = e.own
LEFT JOIN pg_attribute pa ON pa.attrelid = k.target AND pa.attnum = e.other
WHERE k.type = 'f';

GRANT SELECT ON pg_catalog.redshift_constraint_list, pg_catalog.redshift_constraints, pg_catalog.redshift_class, pg_catalog.redshift_attributes,
  pg_catalog.redshift_index, pg_catalog.redshift_depend, pg_catalog.redshift_show_primary_keys, pg_catalog.redshift_show_foreign_keys TO PUBLIC;
