-- Arithmetic with SUPER values (Developer Guide, "Operators and functions" of semistructured data): the result is SUPER, and
-- NULL where an operand is no number. + joins two strings.

CREATE OR REPLACE FUNCTION pg_catalog.redshift_super_calculated(sign text, a numeric, b numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE sign WHEN '+' THEN a + b WHEN '-' THEN a - b WHEN '*' THEN a * b WHEN '%' THEN a % b
     WHEN '/' THEN CASE WHEN scale(a) + scale(b) = 0 THEN div(a, b)
       -- Digits behind the point as in a division of decimals ("Computations with numeric values").
       ELSE round(a / b, greatest(4, scale(a) + length(translate(b::text, '-.', '')) - scale(b) + 1)) END END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_super_arithmetic(sign text, a jsonb, b jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE jsonb_typeof(a) || jsonb_typeof(b)
     WHEN 'numbernumber' THEN to_jsonb(redshift_super_calculated(sign, a::numeric, b::numeric))
     WHEN 'stringstring' THEN CASE sign WHEN '+' THEN to_jsonb((a #>> '{}') || (b #>> '{}')) END END $$;

DO $$ DECLARE
  kinds text[];
  sign text[];
BEGIN
  FOREACH kinds SLICE 1 IN ARRAY ARRAY[['jsonb', 'jsonb'], ['jsonb', 'text'], ['text', 'jsonb'], ['jsonb', 'smallint'], ['smallint', 'jsonb'],
      ['jsonb', 'integer'], ['integer', 'jsonb'], ['jsonb', 'bigint'], ['bigint', 'jsonb'], ['jsonb', 'numeric'], ['numeric', 'jsonb'],
      ['jsonb', 'double precision'], ['double precision', 'jsonb']] LOOP
    FOREACH sign SLICE 1 IN ARRAY ARRAY[['+', 'plus'], ['-', 'minus'], ['*', 'times'], ['/', 'by'], ['%', 'rest']] LOOP
      EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.redshift_super_%s(a %s, b %s) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT
        AS $f$ SELECT redshift_super_arithmetic(%L, to_jsonb(a), to_jsonb(b)) $f$', sign[2], kinds[1], kinds[2], sign[1]);
      IF to_regoperator(format('pg_catalog.%s(%s, %s)', sign[1], kinds[1], kinds[2])) IS NULL THEN
        EXECUTE format('CREATE OPERATOR pg_catalog.%s (FUNCTION = pg_catalog.redshift_super_%s, LEFTARG = %s, RIGHTARG = %s)',
          sign[1], sign[2], kinds[1], kinds[2]);
      END IF;
    END LOOP;
  END LOOP;
  -- Postgres' own jsonb - integer and jsonb - text remove an item.
  UPDATE pg_operator SET oprcode = format('pg_catalog.redshift_super_minus(jsonb, %s)', oprright::regtype)::regprocedure
  WHERE oprname = '-' AND oprleft = 'jsonb'::regtype AND oprright IN ('integer'::regtype, 'text'::regtype);
END $$;

CREATE OR REPLACE FUNCTION pg_catalog.redshift_super_negated(value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE jsonb_typeof(value) WHEN 'number' THEN to_jsonb(- value::numeric) END $$;
CREATE OR REPLACE FUNCTION pg_catalog.redshift_super_number(value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT AS
$$ SELECT CASE jsonb_typeof(value) WHEN 'number' THEN value END $$;
DO $$ DECLARE
  called text;
BEGIN
  IF to_regoperator('pg_catalog.-(none, jsonb)') IS NULL THEN
    CREATE OPERATOR pg_catalog.- (FUNCTION = pg_catalog.redshift_super_negated, RIGHTARG = jsonb);
    CREATE OPERATOR pg_catalog.+ (FUNCTION = pg_catalog.redshift_super_number, RIGHTARG = jsonb);
  END IF;
  -- With a form for texts, too, a literal is no question of SUPER or number.
  FOREACH called IN ARRAY ARRAY['abs', 'ceil', 'ceiling', 'floor', 'round', 'trunc'] LOOP
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_catalog.%1$s(value jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE STRICT
      AS $f$ SELECT CASE jsonb_typeof(value) WHEN ''number'' THEN to_jsonb(%1$s(value::numeric)) END $f$;
      CREATE OR REPLACE FUNCTION pg_catalog.%1$s(value text) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT
      AS $f$ SELECT %1$s(value::numeric) $f$', called);
  END LOOP;
END $$;
