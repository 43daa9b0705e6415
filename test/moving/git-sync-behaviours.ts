/**
 * git-sync's own end-to-end tests (test_e2e.sh of version 4.7.1), by name. Each has a test of that name here, or the
 * reason why it has none.
 */
export const GIT_SYNC_BEHAVIOURS: Readonly<Record<string, "tested" | string>> = Object.fromEntries(
  `init_root_doesnt_exist init_root_exists_empty init_root_flag_is_weird init_root_flag_has_symlink
  init_root_is_under_another_repo init_root_fails_sanity bad_ref_non_zero_exit sync_default_ref sync_head
  sync_head_absolute_link sync_head_subdir_link worktree_cleanup worktree_unexpected_removal
  sync_recover_wrong_worktree_hash stale_worktree_timeout stale_worktree_timeout_restart v3_v4_upgrade_in_place readlink
  sync_branch sync_branch_switch sync_tag sync_annotated_tag sync_sha sync_sha_once
  sync_sha_once_sync_different_sha_known sync_sha_once_sync_different_sha_unknown sync_crash_no_link_cleanup_retry
  sync_crash_no_worktree_cleanup_retry sync_sha_shafile_exists sync_repo_switch error_slow_git_short_timeout
  sync_slow_git_long_timeout sync_on_signal_sighup sync_on_signal_hup sync_on_signal_1 sync_depth_default_shallow
  sync_depth_across_updates sync_depth_change_on_restart auth_http_password auth_http_password_in_url
  auth_http_password_file auth_password_file_reload auth_ssh auth_ssh_url auth_askpass_url_wrong_password
  auth_askpass_url_correct_password auth_askpass_url_sometimes_wrong auth_askpass_url_flaky auth_askpass_url_slow_start
  auth_github_app_application_id auth_github_app_client_id exechook_success exechook_fail_retry exechook_success_once
  exechook_fail_once exechook_startup_after_crash pre_publish_exechook_success pre_publish_exechook_fail_retry
  pre_publish_exechook_success_once pre_publish_exechook_fail_once pre_publish_exechook_startup_after_crash
  webhook_success webhook_fail_retry webhook_success_once webhook_fail_retry_once webhook_fire_and_forget expose_http
  expose_http_after_restart submodule_sync_default submodule_sync_depth submodule_sync_off submodule_sync_shallow
  submodule_sync_relative submodule_sync_over_ssh_different_keys submodule_sync_over_http_different_passwords
  sparse_checkout filter_partial_clone_blob_none filter_with_sparse_checkout filter_across_updates
  additional_git_configs export_error export_error_abs_path touch_file touch_file_abs_path gc_default gc_auto gc_always
  gc_aggressive gc_off init_period_faster_initial_sync init_max_failures_exceeded`
    .split(/\s+/)
    .map((name) => [name, "tested"]),
)

/** Those that cannot hold here, with the reason. */
export const NOT_HERE: Readonly<Record<string, string>> = {
  exechook_git_archive: "The synced folder holds no .git, so no git command works in it.",
  github_https: "It fetches from GitHub itself; auth_http_password and the like show HTTPS to a server here.",
}
