"""Where the platforms keep what was paid (收单账本): amounts in fen, instants in Unix seconds."""

from __future__ import annotations

from typing import Final

PAYMENT_TABLES: Final = """
-- status: prepared (a code nobody scanned yet), waiting, paid, finished, closed; closed_by: merchant, time.
-- token is the cashier's address, and WeChat's prepay_id, which is good from prepaid_at for two hours.
-- trade_no is NULL until the platform counts it as a trade; buyer is empty when anybody may pay.
CREATE TABLE IF NOT EXISTS trades (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    platform TEXT NOT NULL,
    kind TEXT NOT NULL,
    app_id TEXT NOT NULL,
    seller TEXT NOT NULL,
    out_trade_no TEXT NOT NULL,
    subject TEXT NOT NULL,
    attach TEXT NOT NULL,
    total_fen INTEGER NOT NULL CHECK (total_fen > 0),
    buyer TEXT NOT NULL,
    notify_url TEXT NOT NULL,
    return_url TEXT NOT NULL,
    expires_at REAL NOT NULL,
    trade_no TEXT UNIQUE,
    token TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    paid_fen INTEGER,
    payer TEXT,
    closed_by TEXT,
    created_at REAL NOT NULL,
    prepaid_at REAL NOT NULL,
    paid_at REAL,
    closed_at REAL,
    UNIQUE (platform, out_trade_no)
);
CREATE INDEX IF NOT EXISTS trades_unpaid ON trades (expires_at) WHERE status IN ('prepared', 'waiting');
CREATE INDEX IF NOT EXISTS trades_paid ON trades (paid_at);
-- state: processing, success, abnormal, closed; becomes is what a processing one will be at settles_at
CREATE TABLE IF NOT EXISTS refunds (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    trade INTEGER NOT NULL REFERENCES trades,
    refund_no TEXT NOT NULL UNIQUE,
    out_refund_no TEXT NOT NULL,
    amount_fen INTEGER NOT NULL CHECK (amount_fen > 0),
    reason TEXT NOT NULL,
    notify_url TEXT NOT NULL,
    state TEXT NOT NULL,
    becomes TEXT NOT NULL,
    requested_at REAL NOT NULL,
    settles_at REAL NOT NULL,
    settled_at REAL,
    UNIQUE (trade, out_refund_no)
);
CREATE INDEX IF NOT EXISTS refunds_processing ON refunds (settles_at) WHERE state = 'processing';
CREATE INDEX IF NOT EXISTS refunds_requested ON refunds (requested_at);
-- content is what is said, not yet signed; next_at is NULL once it is delivered or given up;
-- held is set while it waits for a later one to overtake it
CREATE TABLE IF NOT EXISTS notices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    platform TEXT NOT NULL,
    trade INTEGER NOT NULL REFERENCES trades,
    event TEXT NOT NULL,
    notice_id TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    content TEXT NOT NULL,
    made_at REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    held INTEGER NOT NULL DEFAULT 0,
    next_at REAL,
    delivered_at REAL,
    last_answer TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS notices_next ON notices (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS notices_held ON notices (platform) WHERE held = 1;
CREATE TABLE IF NOT EXISTS wechatpay_nonces (nonce TEXT PRIMARY KEY, seen_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS wechatpay_nonces_seen ON wechatpay_nonces (seen_at);
CREATE TABLE IF NOT EXISTS bill_files (
    token TEXT PRIMARY KEY,
    platform TEXT NOT NULL,
    name TEXT NOT NULL,
    content BLOB NOT NULL,
    expires_at REAL NOT NULL
);
-- days whose bills may be fetched before the day is over
CREATE TABLE IF NOT EXISTS early_bills (day TEXT PRIMARY KEY);
"""
