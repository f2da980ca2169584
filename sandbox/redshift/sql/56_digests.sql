-- STRTOL reads a number of any base from 2 to 36 (Developer Guide, "STRTOL function"): blanks and one sign may be before it,
-- with base 16 also 0x; '' and a NUL at the beginning, written '\0', are 0. What is no number of that base is an error.

CREATE OR REPLACE FUNCTION pg_catalog.strtol(digits text, base integer) RETURNS bigint LANGUAGE plpgsql IMMUTABLE STRICT
PARALLEL SAFE AS
$$ DECLARE
  result bigint := 0;
  parts text[];
  sign integer;
  body text;
  place integer;
BEGIN
  IF base = 16 AND octet_length(digits) BETWEEN 1 AND 15 AND ltrim(digits, '0123456789abcdefABCDEF') = '' THEN
    RETURN ('0x' || digits)::bigint;  -- no loop for what nearly everybody calls it with
  END IF;
  IF base NOT BETWEEN 2 AND 36 THEN
    RAISE EXCEPTION 'STRTOL: the base % is not between 2 and 36', base USING ERRCODE = '22023';
  END IF;
  IF digits = '' OR starts_with(digits, '\0') THEN
    RETURN 0;
  END IF;
  parts := regexp_match(digits, '^\s*([+-]?)(.*)$');
  sign := CASE parts[1] WHEN '-' THEN -1 ELSE 1 END;
  body := CASE WHEN base = 16 THEN regexp_replace(lower(parts[2]), '^0x(?=.)', '') ELSE lower(parts[2]) END;
  FOR i IN 1 .. greatest(length(body), 1) LOOP
    place := strpos('0123456789abcdefghijklmnopqrstuvwxyz', substr(body, i, 1)) - 1;
    IF body = '' OR place < 0 OR place >= base THEN
      RAISE EXCEPTION 'The input is not valid to be converted to base %', base USING ERRCODE = '22P02';
    END IF;
    result := result * base + sign * place;
  END LOOP;
  RETURN result;
END $$;

-- Checksums of whole tables call these for every row (sandbox/redshift/rewrite/calls.py): a number of the first digits of a
-- digest, which are known to be hexadecimal, and SHA-256.
CREATE OR REPLACE FUNCTION pg_redshift.strtol(digits text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT ('0x' || digits)::bigint $$;
CREATE OR REPLACE FUNCTION pg_redshift.sha2(value text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT encode(sha256(convert_to(value, 'UTF8')), 'hex') $$;
