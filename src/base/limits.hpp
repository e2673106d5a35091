// Every limit on a size, a count or a time that is not a setting. Units stand last in the names.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace keyward::limits {

// Text that people send
inline constexpr std::size_t email_max_bytes = 254;       // RFC 5321 §4.5.3.1.3, less the angle brackets
inline constexpr std::size_t email_local_max_bytes = 64;  // RFC 5321 §4.5.3.1.1
inline constexpr std::size_t full_name_max_code_points = 200;
inline constexpr std::size_t password_min_code_points = 8;  // the policy may ask for more
inline constexpr std::size_t password_max_code_points = 256;
inline constexpr std::size_t password_max_bytes = 1024;  // checked before any hashing (P4)
inline constexpr std::size_t hash_memory_kept_max_bytes =
    64UL * 1024 * 1024;                                             // by a thread, for its next hash
inline constexpr std::chrono::milliseconds hash_memory_kept{2000};  // without a hash
inline constexpr std::size_t user_agent_max_bytes = 512;            // cut, not refused

// Roles, and pages of lists
inline constexpr std::size_t role_name_max_bytes = 64;
inline constexpr std::size_t role_description_max_code_points = 200;
inline constexpr std::size_t setup_token_max_bytes = 128;
inline constexpr std::size_t roles_of_account_max = 64;
inline constexpr std::int64_t page_max_items = 200;
inline constexpr std::int64_t page_default_items = 50;

// JSON
inline constexpr std::size_t json_max_depth = 16;
inline constexpr std::size_t json_max_bytes = 256 * 1024;

// HTTP: what the engine takes before it says no. The body limit is a setting with this default.
inline constexpr std::size_t http_header_max_bytes = 16 * 1024;
inline constexpr std::size_t http_header_max_count = 64;
inline constexpr std::size_t http_uri_max_bytes = 4 * 1024;
inline constexpr std::size_t http_body_max_bytes = 64 * 1024;
inline constexpr std::size_t http_connections_max = 10'000;
inline constexpr std::size_t http_connections_per_address_max = 1024;  // IPv6: of a /64
inline constexpr std::size_t http_side_connections_max = 256;  // of the listeners beside the first, each
inline constexpr std::size_t http_held_free_bytes =
    8 * 1024;  // by a connection's exchange, which nobody counts
inline constexpr std::size_t http_held_max_bytes = 64 * 1024 * 1024;  // beyond that, by all of them together
inline constexpr std::size_t http_peer_held_max_bytes = http_held_max_bytes / 8;  // by those of one address
inline constexpr int http_unsent_max_bytes = 16 * 1024;  // that the kernel takes of an answer ahead
inline constexpr std::size_t http_write_min_bytes_per_s = 8 * 1024;  // of a whole answer
inline constexpr std::size_t http_query_parameters_max = 32;
inline constexpr std::size_t forwarded_hops_max = 32;  // of X-Forwarded-For or Forwarded that are looked at
inline constexpr std::chrono::hours proxy_hint_interval{1};  // between two hints that a proxy is not listed
inline constexpr std::size_t cors_origins_max = 64;
inline constexpr std::chrono::seconds cors_preflight_max_age{600};
inline constexpr std::chrono::seconds http_header_timeout{10};
inline constexpr std::chrono::seconds http_body_timeout{20};
inline constexpr std::chrono::seconds http_idle_timeout{60};
inline constexpr std::chrono::seconds http_write_timeout{20};
inline constexpr std::chrono::seconds drain_deadline{20};

// Being watched
inline constexpr std::chrono::milliseconds readiness_timeout{1000};  // for the database's answer to /readyz
inline constexpr std::chrono::milliseconds readiness_kept{500};      // its answer, for all who ask
inline constexpr std::chrono::seconds readiness_log_interval{10};    // between two lines about a change of it
inline constexpr std::chrono::milliseconds metrics_kept{10};         // the text of /metrics, for all who ask
inline constexpr std::chrono::seconds mail_queue_max_age{5};         // of what /metrics tells of the outbox
inline constexpr std::chrono::milliseconds mail_queue_wait{250};     // for a newer count, then the older one
inline constexpr std::size_t log_queue_max_bytes = 1024 * 1024;      // lines waiting for standard error
inline constexpr std::chrono::seconds log_stop_grace{1};             // for the last of them, at the end

// TLS
inline constexpr std::chrono::hours tls_ticket_lifetime{12};   // and of the keys that seal tickets
inline constexpr std::chrono::seconds tls_check_interval{10};  // for a certificate that was renewed
inline constexpr std::chrono::hours tls_expiry_warning{14 * 24};
inline constexpr std::chrono::hours development_certificate_lifetime{90 * 24};

// keyward doctor
inline constexpr std::chrono::seconds doctor_network_timeout{5};  // of each check that asks another machine
inline constexpr std::size_t doctor_answer_max_bytes = 16 * 1024;
inline constexpr std::chrono::seconds doctor_clock_warning{
    2};  // between two clocks; token_clock_skew is an error
inline constexpr std::chrono::hours doctor_certificate_warning{21 * 24};
inline constexpr std::chrono::hours doctor_admin_idle{90 * 24};
inline constexpr std::size_t doctor_admins_named_max = 10;
inline constexpr std::uint64_t doctor_free_disk_warning_bytes = 1024ULL * 1024 * 1024;
inline constexpr std::uint64_t doctor_free_disk_error_bytes = 64ULL * 1024 * 1024;

// JOSE
inline constexpr std::size_t jws_max_bytes = 8 * 1024;
inline constexpr std::size_t jwk_set_max_keys = 64;
inline constexpr std::size_t key_id_max_bytes = 128;
inline constexpr std::chrono::seconds token_clock_skew{60};  // J14
inline constexpr std::chrono::seconds access_token_lifetime_max{24 * 3600};
inline constexpr std::size_t authorization_header_max_bytes = jws_max_bytes + 16;

// Memory that goes back to the system (app/give_back.hpp)
inline constexpr std::chrono::seconds give_back_after_start{1};
inline constexpr std::chrono::seconds give_back_interval{10};
inline constexpr std::uint64_t give_back_events_max = 100;  // requests and connections of a quiet interval

// Caches, each one on its own loop
inline constexpr std::size_t cached_tokens_max = 4096;
inline constexpr std::chrono::seconds cached_account_max_age{1};
inline constexpr std::chrono::seconds key_snapshot_max_age{1};
inline constexpr std::chrono::seconds jwks_max_age{300};  // Cache-Control of the key set

// Sessions
inline constexpr int refresh_attempts_max = 4;  // looks at a row that another call changes meanwhile
inline constexpr int session_page_max = 100;
inline constexpr std::chrono::hours session_kept_after_expiry{24};
inline constexpr std::int64_t session_sweep_max = 500;               // rows removed in one transaction
inline constexpr std::chrono::milliseconds session_sweep_pause{50};  // between two transactions of a sweep

// Rate limits. Their quotas are settings.
inline constexpr std::size_t rate_limit_keys_max =
    65'536;  // of each limit; what is beyond is told in limit_table.hpp
// All known devices of an account together have this many times the attempts of one: with the largest setting
// (20) that is 100 guesses with the account's own, NIST SP 800-63B-4 §3.2.2's most (A1).
inline constexpr unsigned login_devices_factor = 4;
// Waits for other attempts at the same account that are under way, each twice as long as the one before.
inline constexpr std::chrono::milliseconds attempt_first_wait{20};
inline constexpr std::chrono::milliseconds attempt_last_wait{1280};
inline constexpr std::chrono::hours device_token_lifetime{180 * 24};

// Security events and the audit trail
inline constexpr std::size_t event_queue_max = 10'000;             // lines waiting for standard output
inline constexpr std::chrono::milliseconds event_gather_time{20};  // from the first line to its writing
inline constexpr std::size_t audit_text_max_bytes = 512;   // of each text of an event; cut, not refused
inline constexpr std::size_t audit_chains_max = 16;        // PostgreSQL's connections spread over them
inline constexpr std::size_t audit_refusals_burst = 2000;  // rows for what changed nothing (refusals) …
inline constexpr std::size_t audit_refusals_per_s = 50;    // … so that a flood of them cannot fill the disk
inline constexpr std::size_t audit_anonymous_burst = 500;  // … and of those that tell of nobody, fewer
inline constexpr std::size_t audit_anonymous_per_s = 10;
inline constexpr std::size_t audit_refusals_group_max = 256;  // rows of one transaction
inline constexpr std::chrono::seconds audit_checkpoint_interval{60};
inline constexpr std::size_t audit_verify_page = 1000;  // rows read at a time

// Mail
inline constexpr std::size_t mail_greeting_max_code_points = 60;
inline constexpr std::size_t mail_header_max_bytes = 900;  // RFC 5322 §2.1.1 has 998 for a line
inline constexpr std::size_t mail_value_max_bytes = 2048;  // of what a template is filled with
inline constexpr std::size_t mail_template_max_bytes = 128 * 1024;
inline constexpr std::size_t mail_locale_max_bytes = 35;       // RFC 5646 §4.4.1
inline constexpr std::size_t mail_error_max_bytes = 300;       // of what a server said; cut
inline constexpr std::chrono::hours mail_notice_lifetime{24};  // of mails without a link that ends sooner
inline constexpr std::chrono::hours mail_kept{30 * 24};        // rows of mails that are over
inline constexpr std::chrono::seconds mail_first_retry{2};     // doubled at each attempt …
inline constexpr std::chrono::seconds mail_last_retry{900};    // … up to this
inline constexpr std::chrono::seconds mail_connect_timeout{10};
inline constexpr std::chrono::seconds mail_stop_grace{5};        // for a mail under way at the end of a run
inline constexpr std::chrono::seconds mail_answer_timeout{600};  // to the whole mail: RFC 5321 §4.5.3.2.6
inline constexpr std::chrono::seconds mail_unsure_retry{1200};   // at least, after no answer to it
inline constexpr std::chrono::seconds mail_quit_timeout{4};      // for the answer to QUIT
inline constexpr std::chrono::seconds mail_resolver_pause{60};   // after a name server that did not answer

// One-time tokens, in mails
inline constexpr std::chrono::hours verify_token_lifetime{24};
inline constexpr std::chrono::hours reset_token_lifetime{1};
inline constexpr std::chrono::hours undo_token_lifetime{72};
inline constexpr std::chrono::minutes one_time_code_lifetime{10};  // R9
inline constexpr std::int64_t one_time_code_tries_max = 5;
inline constexpr std::size_t one_time_code_characters = 8;
inline constexpr std::size_t one_time_code_max_bytes = 32;    // as typed
inline constexpr std::size_t one_time_token_max_bytes = 128;  // as brought
inline constexpr unsigned failures_to_tell = 3;               // wrong passwords before a login, for a notice

// Work after an answer
inline constexpr std::chrono::milliseconds deferred_delay{50};  // at least; at most twice as long
inline constexpr std::chrono::hours deferred_lifetime{1};
inline constexpr std::chrono::seconds deferred_retry{5};
inline constexpr std::chrono::seconds deferred_poll_interval{30};  // for what another process left

// Storage
inline constexpr std::size_t database_queue_max = 4096;  // closures waiting for a database thread
inline constexpr std::size_t group_commit_max = 64;      // closures in one durable commit
inline constexpr std::chrono::microseconds conflict_pause_min{
    500};  // before a closure is run again, at most;
inline constexpr std::chrono::microseconds conflict_pause_max{
    50'000};                                                         // doubled with each conflict up to this
inline constexpr std::chrono::milliseconds reconnect_delay_min{50};  // after a failure, doubled with each one
inline constexpr std::chrono::milliseconds reconnect_delay_max{2000};
inline constexpr std::chrono::milliseconds reconnect_wait{500};  // for another thread that is connecting

// Leases of work in the background, and moves of the whole database
inline constexpr std::chrono::seconds lease_length{90};        // longer than a minute, the shortest interval
inline constexpr std::size_t move_page_rows = 500;             // read at a time, on each side
inline constexpr std::size_t move_statement_values_max = 900;  // of one INSERT of several rows
inline constexpr std::chrono::seconds move_lock_wait{60};      // for writers that hold the source
inline constexpr std::chrono::seconds move_watch_interval{1};  // a server asks whether its database has moved
inline constexpr std::chrono::seconds move_settle_time{3};     // from then on nobody reads there any more

// PostgreSQL
inline constexpr std::chrono::seconds postgres_connect_timeout{2};
inline constexpr std::chrono::seconds postgres_answer_timeout{10};  // of the network, to what was sent
inline constexpr std::chrono::seconds postgres_keepalive_idle{30};
inline constexpr std::chrono::seconds postgres_statement_timeout{15};
inline constexpr std::chrono::seconds postgres_answer_margin{5};  // beyond what the server lets a thing take
inline constexpr std::chrono::seconds postgres_lock_timeout{5};
inline constexpr std::chrono::seconds postgres_idle_in_transaction_timeout{30};  // a process that was stopped
inline constexpr std::chrono::seconds postgres_schema_lock_timeout{60};  // another process that migrates
inline constexpr std::chrono::seconds postgres_migration_timeout{3600};

// Redis
inline constexpr std::size_t redis_queue_max = 4096;  // calls waiting for the thread
inline constexpr std::size_t redis_batch_max = 64;    // calls in one write
inline constexpr std::size_t redis_answer_max_bytes = 1024 * 1024;
inline constexpr std::size_t redis_ca_max_bytes = 1024 * 1024;
inline constexpr std::chrono::milliseconds redis_connect_timeout{1000};  // with the greeting and TLS
inline constexpr std::chrono::milliseconds redis_answer_timeout{250};    // a login waits for it
inline constexpr std::chrono::milliseconds redis_idle_check{500};  // asks an idle Redis whether it is there
inline constexpr std::chrono::milliseconds redis_retry_min{50};    // after a failure, doubled with each …
inline constexpr std::chrono::milliseconds redis_retry_max{1000};  // … up to this
// What is known of a window that ends sooner is not handed on: it must not fill the next one.
inline constexpr std::chrono::milliseconds rate_limit_floor_least{1000};
inline constexpr std::int64_t rate_limit_sweep_max = 500;    // rows removed in one transaction
inline constexpr std::int64_t rate_limit_tell_page = 500;    // rows told to a Redis that is back, at a time
inline constexpr std::int64_t rate_limit_tell_max = 65'536;  // … and in all
inline constexpr std::chrono::seconds redis_refusal_recheck{1};  // a refusal is held against the database

// Requests of ours to others (src/outbound)
inline constexpr std::size_t outbound_url_max_bytes = 2048;
inline constexpr std::size_t outbound_body_max_bytes = 64 * 1024;  // of what we send
inline constexpr std::size_t outbound_head_max_bytes = 16 * 1024;
inline constexpr std::size_t outbound_answer_max_bytes = 512 * 1024;
inline constexpr std::size_t outbound_addresses_max = 8;  // of one name that are tried
inline constexpr std::size_t outbound_queue_max = 256;    // requests under way or waiting
inline constexpr std::size_t outbound_idle_connections_max = 16;
inline constexpr std::size_t outbound_ca_max_bytes = 1024 * 1024;
inline constexpr std::chrono::seconds outbound_connect_timeout{3};  // of one address, with TLS
inline constexpr std::chrono::seconds outbound_timeout{10};         // of a request in all
inline constexpr std::chrono::seconds outbound_idle_timeout{30};    // of a connection kept for the next one
inline constexpr std::size_t outbound_cache_entries_max = 128;
inline constexpr std::chrono::seconds outbound_fresh{3600};           // a cached document is taken as it is …
inline constexpr std::chrono::seconds outbound_stale{24 * 3600};      // … and then while it is fetched anew
inline constexpr std::chrono::seconds outbound_refetch_interval{30};  // of one document, at the least

// Providers that people log in with
inline constexpr std::size_t providers_max = 32;
inline constexpr std::size_t provider_name_max_bytes = 32;
inline constexpr std::size_t provider_subject_max_bytes = 255;  // OpenID Connect Core §2
inline constexpr std::size_t provider_text_max_bytes = 256;     // of what a provider says in words; cut
inline constexpr std::size_t provider_code_max_bytes = 2048;    // authorization codes
inline constexpr std::size_t provider_token_max_bytes = 16 * 1024;
inline constexpr std::size_t provider_scopes_max = 32;
inline constexpr std::size_t provider_domains_max = 64;
inline constexpr std::chrono::minutes provider_login_lifetime{10};  // from the redirect to the callback
inline constexpr std::chrono::minutes provider_token_age_max{10};   // of an ID token, by its `iat`
inline constexpr std::chrono::minutes client_assertion_lifetime{2};
inline constexpr std::chrono::seconds exchange_code_lifetime{60};
inline constexpr std::chrono::minutes recent_login{10};  // of a session that may connect a provider
inline constexpr std::size_t return_to_max_bytes = 512;  // it is part of a cookie
inline constexpr std::size_t login_cookies_max = 8;      // of logins under way in one browser
inline constexpr std::size_t return_to_origins_max = 64;
inline constexpr std::size_t identities_per_account_max = 32;

}  // namespace keyward::limits
