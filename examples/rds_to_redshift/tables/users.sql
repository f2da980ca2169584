-- One row per person; small enough to be read whole, merged by user_id.
CREATE TABLE IF NOT EXISTS learning.users (
  user_id       BIGINT        NOT NULL ENCODE raw,
  email         VARCHAR(320)  NOT NULL ENCODE zstd,
  display_name  VARCHAR(400)           ENCODE zstd,
  bio           VARCHAR(8000)          ENCODE zstd,
  country       CHAR(2)                ENCODE bytedict,
  is_instructor BOOLEAN                ENCODE zstd,
  birth_date    DATE                   ENCODE az64,
  credit        DECIMAL(12,2)          ENCODE az64,
  updated_at    TIMESTAMP     NOT NULL ENCODE az64,
  PRIMARY KEY (user_id)
)
DISTSTYLE KEY
DISTKEY (user_id)
SORTKEY (user_id);
