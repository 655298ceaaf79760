//! The contract of every store as tests, and an in-memory model of it.
//!
//! A store's own tests say how to make an empty one, and get a named test for each rule:
//!
//! ```ignore
//! async fn make() -> Option<(Arc<dyn UsageStore>, TempDir)> {
//!     todo!()
//! }
//!
//! store::usage_contract!(make);
//! ```
//!
//! What comes with the store is dropped after the test: a folder, a database to remove. `None` skips the test, loudly,
//! where a server is not reachable. [`meta_contract!`](crate::meta_contract) does the same for the meta stores.

// The suite is a test, though it is compiled as a library: a panic is how it fails.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

pub mod accounts;
pub mod aggregates;
pub mod aggregation;
pub mod alerts;
pub mod annotations;
pub mod anomalies;
pub mod appending;
pub mod audit;
pub mod budgets;
pub mod changes;
pub mod dimensions;
pub mod keys;
pub mod listing;
pub mod model;
pub mod outbox;
pub mod prices;
pub mod projects;
pub mod questions;
pub mod random;
pub mod retention;
pub mod same_call;
pub mod sample;
pub mod sequence;
pub mod sessions;
pub mod webhooks;

/// A test for each rule of [`UsageStore`](crate::UsageStore). See [`contract`](crate::contract).
#[macro_export]
macro_rules! usage_contract {
    ($make:ident) => {
        $crate::contract_tests! { $make;
            appending {
                every_field_comes_back
                a_key_is_kept_once
                keys_of_different_accounts_are_different
                a_key_twice_in_one_batch_is_kept_once
                a_key_sent_by_32_tasks_is_kept_once
                a_deleted_key_stays_deleted
                what_a_trace_tells_gives_way_to_what_is_known_better
                a_record_is_found_by_those_who_may_see_it
                nothing_of_a_batch_with_a_known_id_is_kept
                batches_of_nothing_are_kept
                records_are_followed_in_the_order_of_keeping
                a_place_is_not_given_twice
            }
            same_call {
                in_every_order_what_is_told_of_a_call_is_one_record
                an_id_that_calls_share_joins_no_two_of_them
                who_knows_both_keys_joins_what_was_kept_apart
                every_key_of_a_deleted_record_stays_known
                a_record_learns_whom_a_call_was_for_while_it_is_new
            }
            listing {
                pages_join_to_the_whole_list
                pages_by_cursor_stay_in_place_while_records_arrive
                members_see_their_projects_and_what_they_have_outside
                unknown_values_sort_as_the_smallest
                foreign_cursors_are_refused
                the_total_is_that_of_the_whole_list
                words_are_found_in_any_case
                search_takes_its_words_literally
            }
            aggregation {
                nothing_adds_up_to_nothing
                days_are_those_of_the_zone_over_daylight_saving
                records_before_the_first_bucket_are_left_out
                sums_by_day_agree_with_the_records
                groups_come_by_bucket_and_then_by_cost
                a_record_with_two_tags_is_in_both_groups
                percentiles_are_by_nearest_rank
                sums_that_overflow_are_refused
            }
            dimensions {
                every_dimension_selects_and_groups
                selections_include_and_exclude
                the_empty_value_stands_for_none
                values_nobody_has_find_nothing
                selections_stay_inside_what_is_visible
            }
            changes {
                corrections_move_sums_to_another_project
                corrections_replace_tags_and_allocation
                recosted_records_take_their_part_of_every_sum_along
                deleted_records_leave_every_sum
                what_does_not_exist_is_not_changed
                purged_projects_leave_nothing_behind
                rebuilt_sums_are_the_same
            }
            retention {
                sums_outlive_records_and_keys_stay_known
                what_is_sealed_is_not_compared_and_not_made_anew
                records_of_no_project_are_trimmed_by_themselves
                contents_are_erased_and_records_stay
            }
            sequence {
                random_operations_agree_with_the_model
            }
        }
    };
}

/// A test for each rule of [`MetaStore`](crate::MetaStore). See [`contract`](crate::contract).
#[macro_export]
macro_rules! meta_contract {
    ($make:ident) => {
        $crate::contract_tests! { $make;
            accounts {
                an_account_comes_back
                the_first_account_is_the_owner
                demo_accounts_do_not_count_as_the_first
                an_address_is_taken_once
                an_invitation_lets_its_address_in_once
                an_invitation_expires
                a_later_invitation_replaces_the_earlier
                accounts_change_and_vanish
            }
            sessions {
                a_token_is_exchanged_once
                a_token_that_is_used_twice_revokes_its_family
                two_windows_may_send_a_token_at_the_same_moment_once
                concurrent_exchanges_let_one_through
                expired_unknown_and_revoked_tokens_are_refused
                a_new_password_revokes_every_token
                a_better_hash_leaves_every_token
                a_token_of_a_reset_replaces_the_password_once
            }
            keys {
                a_tracker_key_comes_back
                tracker_keys_are_their_owners
                a_tracker_key_is_touched_forwards
                a_provider_key_is_touched_forwards
                changes_of_keys_are_counted
                a_provider_key_is_replaced
                a_provider_key_is_resealed_if_it_is_still_the_same
                keys_vanish_with_their_account
            }
            outbox {
                an_event_and_its_deliveries_come_back
                one_destination_and_subject_is_served_in_order
                a_claimed_delivery_is_given_once_until_its_time
                one_destination_does_not_take_every_place
                attempts_are_kept_and_the_next_is_due_when_they_say
                a_delivery_is_replayed
                the_log_is_read_page_by_page
                concurrent_claims_share_what_is_due
                old_events_are_swept_when_nothing_of_them_waits
                events_about_records_are_kept_with_their_place
            }
            webhooks {
                a_webhook_comes_back
                webhooks_are_listed_by_their_owner_and_heard_by_whom_they_concern
                a_webhook_of_a_budget_is_made_once
                failures_are_noted_and_a_dead_webhook_is_switched_off
                a_webhook_that_is_switched_off_gives_its_deliveries_up
                a_webhook_is_resealed_if_it_is_still_the_same
                webhooks_vanish_with_their_owner_and_take_their_deliveries_along
            }
            alerts {
                an_alert_fires_once
                an_alert_fires_once_for_64_tasks
                a_list_holds_what_its_person_may_see
                marks_are_each_persons_own
                crossings_are_counted_and_not_alerts
                a_list_is_read_page_by_page
                alerts_vanish_with_their_budget
            }
            budgets {
                a_budget_comes_back
                budgets_vanish_with_what_they_are_over
                increases_are_listed_and_withdrawn_once
                exchange_rates_are_replaced
                changes_of_budgets_are_counted
            }
            annotations {
                an_annotation_comes_back
                the_same_is_said_once
                annotations_are_listed_latest_first
                annotations_are_deleted
            }
            anomalies {
                an_anomaly_comes_back
                an_anomaly_is_kept_once_for_64_tasks
                a_series_is_quiet_for_a_while
                anomalies_are_listed_latest_first
                what_was_expected_is_remembered
                anomalies_vanish_with_their_project
            }
            aggregates {
                an_aggregate_waits_and_is_settled_once
                aggregates_of_one_account_are_bounded_and_vanish_with_it
                a_person_is_taken_out_of_what_waits
            }
            audit {
                changes_come_back_in_a_chain
                the_audit_log_is_filtered_and_read_page_by_page
                concurrent_changes_make_one_chain
            }
            prices {
                the_newest_revision_counts
                a_revision_follows_the_newest
            }
            projects {
                a_project_comes_back
                archived_projects_are_not_found
                projects_are_listed_by_name_to_their_members
                members_join_change_and_leave
                the_last_owner_stays
                demo_projects_are_purged
            }
        }
    };
}

/// The tests of the two suites.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($make:ident; $($module:ident { $($rule:ident)+ })+) => {
        $(mod $module {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                if let Some((store, resources)) = super::$make().await {
                    $crate::contract::$module::$rule(store).await;
                    drop(resources);
                }
            })+
        })+
    };
}
