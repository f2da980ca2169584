-- What MERGE and ALTER TABLE APPEND look at before they change anything (Developer Guide, MERGE, ALTER TABLE APPEND).

-- Raises ``complaint`` when ``query`` finds a row.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_refuse_if(query text, complaint text) RETURNS void LANGUAGE plpgsql AS
$$ DECLARE found_one boolean;
BEGIN
  EXECUTE format('SELECT EXISTS (%s)', query) INTO found_one;
  IF found_one THEN
    RAISE EXCEPTION USING MESSAGE = complaint, ERRCODE = 'XX000';
  END IF;
END $$;

CREATE OR REPLACE FUNCTION pg_catalog.redshift_check_merge(target text, source text) RETURNS void LANGUAGE plpgsql AS
$$ DECLARE
  into_table pg_class := (SELECT c FROM pg_class c WHERE c.oid = target::regclass);
  from_table pg_class := (SELECT c FROM pg_class c WHERE c.oid = source::regclass);
BEGIN
  IF into_table.relkind NOT IN ('r', 'p') OR into_table.relnamespace = 'pg_catalog'::regnamespace THEN
    RAISE EXCEPTION 'MERGE: the target "%" must be a table that is no system table', into_table.relname USING ERRCODE = '42809';
  ELSIF from_table.relkind NOT IN ('r', 'p') THEN
    RAISE EXCEPTION 'MERGE: the source "%" must be a table, not a view', from_table.relname USING ERRCODE = '42809';
  ELSIF into_table.oid = from_table.oid THEN
    RAISE EXCEPTION 'MERGE: source and target must be different tables' USING ERRCODE = '42P01';
  END IF;
END $$;

-- REMOVE DUPLICATES replaces whole rows, so the tables must have the same columns in the same order.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_check_same_columns(target text, source text) RETURNS void
LANGUAGE plpgsql AS
$$ DECLARE
  wanted oid[] := (SELECT array_agg(atttypid ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = target::regclass AND attnum > 0 AND NOT attisdropped);
  given oid[] := (SELECT array_agg(atttypid ORDER BY attnum) FROM pg_attribute
    WHERE attrelid = source::regclass AND attnum > 0 AND NOT attisdropped);
BEGIN
  IF cardinality(wanted) <> cardinality(given) OR EXISTS (SELECT FROM unnest(wanted, given) AS pair(a, b)
      WHERE a <> b AND NOT EXISTS (SELECT FROM pg_cast WHERE castsource = b AND casttarget = a AND castcontext <> 'e')) THEN
    RAISE EXCEPTION 'MERGE with REMOVE DUPLICATES needs the same number of columns, with compatible types in the same order'
      USING ERRCODE = '42804';
  END IF;
END $$;

-- The columns of a table as ALTER TABLE APPEND compares them.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_append_columns(relation regclass)
RETURNS TABLE (name text, looks text, is_identity boolean) LANGUAGE sql STABLE AS
$$ SELECT d."column", concat_ws(' ', d.type, d.encoding, CASE WHEN d."notnull" THEN 'not null' END), a.attidentity = 'a'
   FROM redshift_table_columns d JOIN pg_attribute a ON a.attrelid = d.relation AND a.attnum = d.place
   WHERE d.relation = $1 $$;

-- The keys of a table by the names of their columns.
CREATE OR REPLACE FUNCTION pg_catalog.redshift_append_keys(relation regclass) RETURNS jsonb LANGUAGE sql STABLE AS
$$ SELECT jsonb_build_object('diststyle', coalesce(j->>'diststyle', 'auto'), 'sortstyle', coalesce(j->>'sortstyle', 'auto'),
     'distkey', (SELECT attname FROM pg_attribute WHERE attrelid = $1 AND attnum = (j->>'distkey')::int),
     'sortkey', (SELECT jsonb_agg(a.attname ORDER BY s.place) FROM jsonb_array_elements_text(j->'sortkey')
       WITH ORDINALITY AS s(number, place) JOIN pg_attribute a ON a.attrelid = $1 AND a.attnum = s.number::int))
   FROM redshift_declared($1) AS j $$;

CREATE OR REPLACE FUNCTION pg_catalog.redshift_append(target regclass, source regclass, extra text) RETURNS bigint
LANGUAGE plpgsql AS
$$ DECLARE
  shared text;
  odd text;
  moved bigint;
BEGIN
  IF target = source THEN
    RAISE EXCEPTION 'ALTER TABLE APPEND: source and target must be different tables' USING ERRCODE = '42P01';
  ELSIF EXISTS (SELECT FROM pg_class WHERE oid IN (target, source) AND (relpersistence <> 'p' OR relkind <> 'r')) THEN
    RAISE EXCEPTION 'ALTER TABLE APPEND: both must be permanent tables' USING ERRCODE = '42809';
  ELSIF (SELECT count(*) FROM pg_attribute WHERE attrelid IN (target, source) AND attidentity = 'a') > 1 THEN
    RAISE EXCEPTION 'ALTER TABLE APPEND: an identity column cannot be appended' USING ERRCODE = '0A000';
  ELSIF redshift_append_keys(target) <> redshift_append_keys(source) THEN
    RAISE EXCEPTION 'ALTER TABLE APPEND: distribution style, distribution key and sort keys of "%" and "%" differ', target, source
      USING ERRCODE = '42P16';
  END IF;
  SELECT string_agg(quote_ident(t.name), ', '), min(t.name) FILTER (WHERE t.looks <> s.looks) INTO shared, odd
  FROM redshift_append_columns(target) t JOIN redshift_append_columns(source) s USING (name)
  WHERE NOT t.is_identity AND NOT s.is_identity;
  IF odd IS NOT NULL THEN
    RAISE EXCEPTION 'ALTER TABLE APPEND: the attributes of column "%" differ', odd USING ERRCODE = '42804';
  END IF;
  SELECT min(s.name) INTO odd FROM redshift_append_columns(source) s
  WHERE s.is_identity OR NOT EXISTS (SELECT FROM redshift_append_columns(target) t WHERE t.name = s.name AND NOT t.is_identity);
  IF odd IS NOT NULL AND extra <> 'ignoreextra' THEN
    RAISE EXCEPTION 'ALTER TABLE APPEND: column "%" is in "%" only; use IGNOREEXTRA', odd, source USING ERRCODE = '42703';
  END IF;
  SELECT min(t.name) INTO odd FROM redshift_append_columns(target) t
  WHERE t.is_identity OR NOT EXISTS (SELECT FROM redshift_append_columns(source) s WHERE s.name = t.name AND NOT s.is_identity);
  IF odd IS NOT NULL AND extra <> 'filltarget' THEN
    RAISE EXCEPTION 'ALTER TABLE APPEND: column "%" is in "%" only; use FILLTARGET', odd, target USING ERRCODE = '42703';
  END IF;
  EXECUTE format('LOCK TABLE %s, %s', target, source);
  EXECUTE format('INSERT INTO %s (%s) SELECT %s FROM %s', target, shared, shared, source);
  GET DIAGNOSTICS moved = ROW_COUNT;
  EXECUTE format('TRUNCATE %s', source);
  RETURN moved;
END $$;
