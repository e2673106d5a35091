// The one list of all routes. Who may call each is the first parameter of its handler.
#include "app/application.hpp"

namespace keyward::app {

using enum ErrorCode;

void Application::register_routes() {
  router_.post("/register", *registration_, &features::Registration::register_account)
      .summary("Make an account")
      .tag("Accounts")
      .refuses(bad_request)
      .refuses(too_many_requests)
      .refuses(unavailable);
  router_.post("/login", *login_, &features::Login::log_in)
      .summary("Log in: get an access token and a refresh token")
      .tag("Sessions")
      .refuses(invalid_credentials)
      .refuses(too_many_requests)
      .refuses(unavailable);
  router_.post("/refresh", *refresh_, &features::Refresh::refresh)
      .summary("Go on with a session: a new access token and the next refresh token")
      .description(
          "Each refresh token is replaced by its use. The one just replaced is answered with the same tokens "
          "again for a few seconds (two tabs, lost answers); an older or later use ends the session.")
      .tag("Sessions")
      .refuses(invalid_credentials)
      .refuses(too_many_requests)
      .refuses(unavailable);
  router_.post("/logout", *logout_, &features::Logout::log_out)
      .summary("End this session; an access token or a refresh token says which")
      .tag("Sessions")
      .refuses(unavailable);

  router_.get("/me/sessions", *sessions_, &features::Sessions::list)
      .summary("Where am I signed in")
      .tag("Sessions");
  router_.del("/me/sessions", *sessions_, &features::Sessions::end_others)
      .summary("End all my sessions but this one")
      .tag("Sessions")
      .refuses(unavailable);
  router_.del("/me/sessions/{id}", *sessions_, &features::Sessions::end_one)
      .summary("End one of my sessions")
      .tag("Sessions")
      .refuses(unavailable);

  router_.get("/me", *profile_, &features::Profile::me).summary("Who am I").tag("Me");
  router_.patch("/me", *profile_, &features::Profile::change).summary("Change my name").tag("Me");
  router_.del("/me", *profile_, &features::Profile::leave)
      .summary("Delete my account")
      .tag("Me")
      .refuses(conflict);
  router_.post("/me/password", *profile_, &features::Profile::change_password)
      .summary("Change my password; every other session ends")
      .tag("Me")
      .refuses(forbidden)
      .refuses(conflict)
      .refuses(too_many_requests)
      .refuses(unavailable);

  router_.post("/me/email", *email_change_, &features::EmailChange::ask)
      .summary("Ask for another e-mail address: the new one is to confirm it, the old one is warned")
      .tag("Me")
      .refuses(forbidden)
      .refuses(conflict)
      .refuses(too_many_requests)
      .refuses(unavailable);
  router_.post("/email-change/confirm", *email_change_, &features::EmailChange::confirm)
      .summary("Confirm a new e-mail address")
      .tag("Mail")
      .refuses(bad_request)
      .refuses(conflict)
      .refuses(unavailable);
  router_.post("/email-change/undo", *email_change_, &features::EmailChange::undo)
      .summary("Go back to the old e-mail address; every session ends and the password is worth nothing")
      .tag("Mail")
      .refuses(bad_request)
      .refuses(conflict)
      .refuses(unavailable);

  router_.post("/verify-email", *email_verification_, &features::EmailVerification::verify)
      .summary("Verify an e-mail address")
      .tag("Mail")
      .refuses(bad_request)
      .refuses(unavailable);
  router_.post("/verify-email/resend", *email_verification_, &features::EmailVerification::resend)
      .summary("Ask for another mail to verify an address")
      .description(
          "The answer is the same for every address. Its header Keyward-Transaction is what the code in the "
          "mail, if there is one, counts with.")
      .tag("Mail")
      .refuses(too_many_requests)
      .refuses(unavailable);
  router_.post("/forgot-password", *password_reset_, &features::PasswordReset::forgot)
      .summary("Ask for a mail to reset a password")
      .description(
          "The answer is the same for every address. Its header Keyward-Transaction is what the code in the "
          "mail, if there is one, counts with.")
      .tag("Mail")
      .refuses(too_many_requests)
      .refuses(unavailable);
  router_.post("/reset-password", *password_reset_, &features::PasswordReset::reset)
      .summary("Choose a new password; every session ends")
      .tag("Mail")
      .refuses(bad_request)
      .refuses(unavailable);

  router_.get("/auth/providers", social_->social_login, &features::SocialLogin::list)
      .summary("The providers that one can log in with")
      .tag("Social login");
  router_.get("/auth/{provider}/login", social_->social_login, &features::SocialLogin::begin)
      .summary("Send the browser to a provider to log in there")
      .description(
          "With return_to the browser comes back to the application with a code for POST /auth/exchange; "
          "without, the callback answers with the tokens.")
      .tag("Social login")
      .read_by(web::Readers::no_other_origin)
      .refuses(not_found)
      .refuses(too_many_requests)
      .refuses(unavailable);
  router_.get("/auth/{provider}/callback", social_->social_login, &features::SocialLogin::come_back)
      .summary("Where the provider sends the browser back to")
      .description("Answers as POST /login; with a return_to, 303 to it with `code` or `error`.")
      .tag("Social login")
      .read_by(web::Readers::no_other_origin)
      .answers(200, "application/json")
      .refuses(bad_request)
      .refuses(forbidden)
      .refuses(not_found)
      .refuses(conflict)
      .refuses(too_many_requests)
      .refuses(unavailable);
  router_.post("/auth/{provider}/callback", social_->social_login, &features::SocialLogin::come_back_by_form)
      .summary("The same for providers that send it as a form (response_mode=form_post)")
      .tag("Social login")
      .read_by(web::Readers::no_other_origin)
      .asked_by_other_sites()
      .answers(200, "application/json")
      .refuses(bad_request)
      .refuses(forbidden)
      .refuses(not_found)
      .refuses(conflict)
      .refuses(too_many_requests)
      .refuses(unavailable);
  router_.post("/auth/exchange", social_->exchange, &features::Exchange::exchange)
      .summary("Exchange the code that a login at a provider came back with for tokens")
      .tag("Social login")
      .refuses(bad_request)
      .refuses(too_many_requests)
      .refuses(unavailable);
  router_.get("/me/identities", social_->identities, &features::Identities::list)
      .summary("The providers that my account is connected with")
      .tag("Social login");
  router_.post("/me/identities/{provider}", social_->identities, &features::Identities::connect)
      .summary("Begin to connect my account with a provider")
      .tag("Social login")
      .refuses(forbidden)
      .refuses(not_found)
      .refuses(conflict)
      .refuses(too_many_requests)
      .refuses(unavailable);
  router_.post("/me/identities/{provider}/confirm", social_->identities, &features::Identities::confirm)
      .summary("Connect my account with the identity that the browser came back with")
      .tag("Social login")
      .refuses(bad_request)
      .refuses(conflict)
      .refuses(too_many_requests)
      .refuses(unavailable);
  router_.del("/me/identities/{provider}", social_->identities, &features::Identities::disconnect)
      .summary("Disconnect my account from a provider")
      .tag("Social login")
      .refuses(not_found)
      .refuses(conflict)
      .refuses(unavailable);

  router_.get("/audit", *audit_, &features::Audit::list)
      .summary("Security events, newest first")
      .tag("Administration");
  router_.get("/users", *admin_users_, &features::AdminUsers::list)
      .summary("List and search accounts")
      .tag("Administration");
  router_.get("/users/{user_id}", *admin_users_, &features::AdminUsers::show)
      .summary("Read an account")
      .tag("Administration");
  router_.patch("/users/{user_id}", *admin_users_, &features::AdminUsers::change)
      .summary("Change, disable or enable an account, or give it other roles")
      .tag("Administration")
      .refuses(conflict);
  router_.del("/users/{user_id}", *admin_users_, &features::AdminUsers::remove)
      .summary("Delete an account")
      .tag("Administration")
      .refuses(conflict);
  router_.get("/roles", *roles_, &features::Roles::list).summary("List the roles").tag("Administration");
  router_.put("/roles/{name}", *roles_, &features::Roles::put)
      .summary("Make a role, or give it other permissions")
      .tag("Administration")
      .refuses(conflict);
  router_.del("/roles/{name}", *roles_, &features::Roles::remove)
      .summary("Delete a role that nobody has")
      .tag("Administration")
      .refuses(conflict);
  router_.post("/setup", *setup_, &features::Setup::make_first_admin)
      .summary("Make the first admin")
      .description(
          "Takes the token that the server printed at its first start. 403 for a wrong token, and for any "
          "token once it was used or there is an admin.")
      .tag("Administration")
      .refuses(forbidden)
      .refuses(too_many_requests)
      .refuses(unavailable);

  router_.get("/.well-known/jwks.json", *jwks_, &features::Jwks::key_set)
      .summary("The keys that access tokens are verified with")
      .tag("Discovery")
      .read_by(web::Readers::every_origin)
      .answers(200, "application/jwk-set+json");
  router_.get("/livez", *health_, &features::Health::live).summary("The process answers").tag("Health");
  router_.get("/readyz", *health_, &features::Health::ready)
      .summary("It should be given requests: the database answers, and no end is near")
      .tag("Health")
      .refuses(unavailable);
  router_.get("/metrics", *health_, &features::Health::metrics)
      .summary("Counters in Prometheus's text format; for callers on this machine")
      .tag("Health")
      .read_by(web::Readers::no_other_origin)
      .refuses(not_found)
      .answers(200, "text/plain");

  auto& pages = *account_pages_;
  router_.get("/account/forgot-password", pages.reset, &features::ResetPages::show_asking)
      .summary("A form: which address is the account's?")
      .page();
  router_.post("/account/forgot-password", pages.reset, &features::ResetPages::ask)
      .summary("Asks for a mail with a link to reset the password")
      .refuses(too_many_requests)
      .refuses(unavailable)
      .page();
  router_.get("/account/reset-password", pages.reset, &features::ResetPages::show_reset)
      .summary("The link in that mail; a form for the new password")
      .refuses(bad_request)
      .page();
  router_.post("/account/reset-password", pages.reset, &features::ResetPages::reset)
      .summary("Sets the new password")
      .refuses(unavailable)
      .page();
  router_.get("/account/verify-email", pages.verification, &features::VerificationPages::show)
      .summary(
          "The link in the mail to a new account's address; a button, or a form for the code or the address")
      .refuses(bad_request)
      .page();
  router_.post("/account/verify-email", pages.verification, &features::VerificationPages::verify)
      .summary("Confirms the address")
      .refuses(unavailable)
      .page();
  router_.post("/account/resend-verification", pages.verification, &features::VerificationPages::resend)
      .summary("Asks for a new mail to confirm the address")
      .refuses(too_many_requests)
      .refuses(unavailable)
      .page();
  router_.get("/account/confirm-email-change", pages.change, &features::ChangePages::show_confirm)
      .summary("The link in the mail to an account's new address; a button")
      .refuses(bad_request)
      .page();
  router_.post("/account/confirm-email-change", pages.change, &features::ChangePages::confirm)
      .summary("Changes the address")
      .refuses(conflict)
      .refuses(unavailable)
      .page();
  router_.get("/account/undo-email-change", pages.change, &features::ChangePages::show_undo)
      .summary("The link in the mail to an account's old address; a button")
      .refuses(bad_request)
      .page();
  router_.post("/account/undo-email-change", pages.change, &features::ChangePages::undo)
      .summary("Undoes the change of the address")
      .refuses(unavailable)
      .page();
  router_.get("/account/done", pages.common, &features::CommonPages::done)
      .summary("What was done")
      .refuses(not_found)
      .page();
  router_.get("/account/style.css", pages.common, &features::CommonPages::style)
      .summary("The pages' style sheet")
      .tag("Pages")
      .read_by(web::Readers::no_other_origin)
      .answers(200, "text/css");

  documentation_.add_routes(router_);
  documentation_.generate({.version = KEYWARD_VERSION, .public_url = config_.server.public_url}, router_);
}

void Application::register_management_routes() {
  management_router_.get("/livez", *health_, &features::Health::live);
  management_router_.get("/readyz", *health_, &features::Health::ready);
  management_router_.get("/metrics", *health_, &features::Health::metrics_for_all);
}

}  // namespace keyward::app
