-- Schema 5, as the code of commit f64cbed wrote it (see make.ts).
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
INSERT INTO "meta" VALUES ('gateway', '0be6afb2-00be-4a7d-9b4d-60d5dfea9d2e');
INSERT INTO "meta" VALUES ('labelRule', '1');
INSERT INTO "meta" VALUES ('checked', '{"at":1795955829282,"closed":true}');
CREATE TABLE devices (
    id TEXT PRIMARY KEY, board TEXT NOT NULL, task TEXT NOT NULL, tier TEXT NOT NULL, cohort TEXT,
    firstSeen INTEGER NOT NULL, lastSeen INTEGER NOT NULL, session INTEGER NOT NULL,
    release INTEGER NOT NULL, version TEXT, state INTEGER NOT NULL) STRICT;
INSERT INTO "devices" VALUES ('w1', 'b', 'gesture', 'reference', NULL, 900, 900, 7, 1, 'v', 1);
INSERT INTO "devices" VALUES ('w2', 'b', 'gesture', 'reference', 'left', 900, 900, 7, 1, NULL, 0);
CREATE TABLE sessions (
    device TEXT NOT NULL, session INTEGER NOT NULL, acked INTEGER NOT NULL DEFAULT 0,
    highest INTEGER NOT NULL DEFAULT 0, duplicates INTEGER NOT NULL DEFAULT 0,
    dropped INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (device, session)) STRICT, WITHOUT ROWID;
INSERT INTO "sessions" VALUES ('w1', 7, 6, 6, 0, 0);
INSERT INTO "sessions" VALUES ('w2', 7, 0, 0, 0, 0);
CREATE TABLE assignments (
    id INTEGER PRIMARY KEY, device TEXT NOT NULL, release INTEGER NOT NULL, version TEXT,
    fromAt INTEGER NOT NULL, toAt INTEGER) STRICT;
INSERT INTO "assignments" VALUES (1, 'w1', 1, 'v', 900, NULL);
INSERT INTO "assignments" VALUES (2, 'w2', 1, NULL, 900, NULL);
CREATE INDEX assignmentsOfDevice ON assignments (device, fromAt);
CREATE TABLE samples (
    id INTEGER PRIMARY KEY, device TEXT NOT NULL, session INTEGER NOT NULL, seq INTEGER NOT NULL,
    task TEXT NOT NULL, at INTEGER NOT NULL, t INTEGER NOT NULL, release INTEGER NOT NULL,
    version TEXT, cls INTEGER NOT NULL, score INTEGER NOT NULL, length INTEGER NOT NULL,
    embedding BLOB, window BLOB, quarantine TEXT, releasedAt INTEGER,
    UNIQUE (device, session, seq)) STRICT;
INSERT INTO "samples" VALUES (1, 'w1', 7, 1, 'gesture', 1001, 1000, 3, 'v3', 2, 60, 3, NULL, x'cecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaeb', NULL, NULL);
INSERT INTO "samples" VALUES (2, 'w1', 7, 2, 'gesture', 1002, 2000, 3, 'v3', 2, 60, 3, x'02fe7f80', x'ced0d2d4d6d8dadcdee0e2e4e6e8eaeceef0f2f4f6f8fafcfe0002040608', NULL, NULL);
INSERT INTO "samples" VALUES (3, 'w1', 7, 3, 'gesture', 1003, 3000, 3, 'v3', 2, 60, 3, NULL, x'ced1d4d7dadde0e3e6e9eceff2f5f8fbfe0104070a0d101316191c1f2225', NULL, NULL);
INSERT INTO "samples" VALUES (4, 'w1', 7, 4, 'gesture', 1004, 4000, 3, 'v3', 2, 60, 3, x'04fc7f80', x'ced2d6dadee2e6eaeef2f6fafe02060a0e12161a1e22262a2e32363a3e42', NULL, NULL);
INSERT INTO "samples" VALUES (5, 'w1', 7, 5, 'gesture', 1005, 5000, 3, 'v3', 2, 60, 3, NULL, NULL, NULL, NULL);
INSERT INTO "samples" VALUES (6, 'w1', 7, 6, 'gesture', 1006, 6000, 3, 'v3', 2, 60, 3, x'06fa7f80', x'ced4dae0e6ecf2f8fe040a10161c22282e343a40464c52585e646a70767c', NULL, NULL);
CREATE INDEX samplesOfDevice ON samples (device, at);
CREATE INDEX samplesByTime ON samples (at);
CREATE INDEX samplesSetAside ON samples (id) WHERE quarantine IS NOT NULL;
CREATE TABLE labels (
    id TEXT PRIMARY KEY, sample INTEGER NOT NULL REFERENCES samples (id) ON DELETE CASCADE,
    cls INTEGER NOT NULL, source TEXT NOT NULL, trust REAL NOT NULL, at INTEGER NOT NULL, withdrawnAt INTEGER) STRICT;
INSERT INTO "labels" VALUES ('l1', 1, 2, 'person', 1, 2000, NULL);
INSERT INTO "labels" VALUES ('l2', 1, 3, 'teacher:t', 0.5, 2001, NULL);
INSERT INTO "labels" VALUES ('l3', 2, 4, 'must-pass', 1, 2002, NULL);
INSERT INTO "labels" VALUES ('l4', 3, 1, 'person', 1, 2003, 2100);
CREATE INDEX labelsOfSample ON labels (sample);
CREATE UNIQUE INDEX labelsFromDevice ON labels (sample, cls) WHERE source = 'device';
CREATE TABLE parts (sha256 TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
INSERT INTO "parts" VALUES ('cb3e58d959a48014882ad51929f26ffe82ecd9bdff21a5dbcc23711d5892ad15', x'612070617274206f662061206d6f64656c');
CREATE TABLE models (
    version TEXT PRIMARY KEY, manifest BLOB NOT NULL, signature BLOB NOT NULL, task TEXT NOT NULL,
    scopeKind TEXT NOT NULL, scopeId TEXT NOT NULL, parent TEXT, snapshot TEXT NOT NULL,
    stage TEXT NOT NULL, report TEXT NOT NULL, at INTEGER NOT NULL, signer TEXT) STRICT;
INSERT INTO "models" VALUES ('v', x'63623365353864393539613438303134383832616435313932396632366666653832656364396264666632316135646263633233373131643538393261643135', x'73', 'gesture', 'fleet', '', NULL, '04a90c960331bda115844309088d319d3119b7a7d7f670567b37643d83f68e71', 'champion', '{"a":1}', 2400, NULL);
CREATE UNIQUE INDEX oneChampion ON models (task, scopeKind, scopeId) WHERE stage = 'champion';
CREATE TABLE stages (
    id INTEGER PRIMARY KEY, version TEXT NOT NULL, stage TEXT NOT NULL, at INTEGER NOT NULL,
    who TEXT NOT NULL, why TEXT NOT NULL) STRICT;
INSERT INTO "stages" VALUES (1, 'v', 'champion', 2500, 'me', 'so');
CREATE TABLE releases (
    release INTEGER PRIMARY KEY, version TEXT NOT NULL, signature BLOB NOT NULL,
    at INTEGER NOT NULL, why TEXT NOT NULL, signer TEXT, expires INTEGER) STRICT;
INSERT INTO "releases" VALUES (1, 'v', x'74', 2600, '', NULL, NULL);
CREATE TABLE snapshots (sha256 TEXT PRIMARY KEY, items BLOB, at INTEGER NOT NULL) STRICT;
INSERT INTO "snapshots" VALUES ('04a90c960331bda115844309088d319d3119b7a7d7f670567b37643d83f68e71', x'828462773107010284627731070204', 2300);
CREATE TABLE snapshotDevices (
    sha256 TEXT NOT NULL, device TEXT NOT NULL, samples INTEGER NOT NULL,
    firstAt INTEGER NOT NULL, lastAt INTEGER NOT NULL,
    PRIMARY KEY (sha256, device)) STRICT, WITHOUT ROWID;
INSERT INTO "snapshotDevices" VALUES ('04a90c960331bda115844309088d319d3119b7a7d7f670567b37643d83f68e71', 'w1', 2, 1001, 1002);
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL,
    subject TEXT NOT NULL, data TEXT NOT NULL, hash BLOB) STRICT;
INSERT INTO "events" VALUES (1, 2700, 'gateway.started', '', '{"n":1}', x'58d1f58f7d6be89b4f507e4732a608563deab62e56df8929d14684df1aea66d5');
CREATE TABLE rollouts (
    id TEXT PRIMARY KEY, at INTEGER NOT NULL, active INTEGER NOT NULL, state TEXT NOT NULL) STRICT;
INSERT INTO "rollouts" VALUES ('r1', 2800, 1, '{"stage":"canary"}');
CREATE TABLE states (name TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT;
INSERT INTO "states" VALUES ('monitor', '{"seen":[1,2,3],"text":"mönitor"}');
CREATE TABLE verdicts (
    sample INTEGER PRIMARY KEY REFERENCES samples (id) ON DELETE CASCADE, cls INTEGER NOT NULL,
    source TEXT NOT NULL, trust REAL NOT NULL, at INTEGER NOT NULL, firstAt INTEGER NOT NULL,
    contradicted INTEGER NOT NULL) STRICT;
INSERT INTO "verdicts" VALUES (1, 2, 'person', 1, 2000, 2000, 1);
INSERT INTO "verdicts" VALUES (2, 4, 'must-pass', 1, 2002, 2002, 0);
CREATE INDEX verdictsContradicted ON verdicts (sample) WHERE contradicted = 1;
CREATE TABLE asked (
    sample INTEGER PRIMARY KEY REFERENCES samples (id) ON DELETE CASCADE, at INTEGER NOT NULL,
    who TEXT NOT NULL, goneAt INTEGER) STRICT;
INSERT INTO "asked" VALUES (4, 2200, 'person', NULL);
INSERT INTO "asked" VALUES (5, 2200, 'person', NULL);
CREATE TABLE linkKeys (
    device TEXT PRIMARY KEY, board TEXT NOT NULL, suite TEXT NOT NULL, generation INTEGER NOT NULL,
    keys BLOB, pending BLOB, epoch INTEGER NOT NULL, provenEpoch INTEGER NOT NULL,
    deviceEpoch INTEGER NOT NULL, port TEXT NOT NULL, addedAt INTEGER NOT NULL,
    rotatedAt INTEGER NOT NULL, removedAt INTEGER) STRICT;
INSERT INTO "linkKeys" VALUES ('w1', 'b', 'ccm', 1, x'0b9ab23ff2a9019535a28b05ebc7e0d7cbc0d30fc3534a7e75d6131b3dc99ec4', x'471a063b643be9f78a91dc1554cd3320aac55616ac17a31265c7041eddbaebc3', 0, 0, 0, '', 2650, 2650, NULL);
CREATE TABLE refusals (
    device TEXT NOT NULL, what TEXT NOT NULL, count INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (device, what)) STRICT, WITHOUT ROWID;
CREATE TABLE heads (
      event INTEGER PRIMARY KEY, hash BLOB NOT NULL, at INTEGER NOT NULL, signer TEXT NOT NULL,
      signature BLOB NOT NULL) STRICT;
CREATE TABLE signers (
      id TEXT PRIMARY KEY, publicKey BLOB NOT NULL, at INTEGER NOT NULL, signedBy TEXT NOT NULL,
      signature BLOB NOT NULL, revokedAt INTEGER, reason TEXT, revokedBy TEXT,
      revocation BLOB) STRICT;
CREATE TABLE tokens (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, role TEXT NOT NULL, hash BLOB NOT NULL,
    addedAt INTEGER NOT NULL, expiresAt INTEGER, revokedAt INTEGER, usedAt INTEGER) STRICT;
INSERT INTO "tokens" VALUES ('t1', 'ann', 'labeller', x'0707070707070707070707070707070707070707070707070707070707070707', 2660, NULL, NULL, NULL);
CREATE TABLE signIns (
    id TEXT PRIMARY KEY, token TEXT NOT NULL REFERENCES tokens (id), hash BLOB NOT NULL,
    at INTEGER NOT NULL, expiresAt INTEGER NOT NULL) STRICT;
INSERT INTO "signIns" VALUES ('s1', 't1', x'0808080808080808080808080808080808080808080808080808080808080808', 2670, 9000);
CREATE TRIGGER eventsStay BEFORE DELETE ON events
    BEGIN SELECT raise(ABORT, 'events are append-only'); END;
CREATE TRIGGER eventsAreFinal BEFORE UPDATE ON events
      BEGIN SELECT raise(ABORT, 'events are append-only'); END;
PRAGMA user_version = 5;
