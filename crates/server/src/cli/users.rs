//! `ai-cost-tracker users`.

use anyhow::Context as _;
use domain::{text, user::Role};
use serde_json::json;
use store::AccountStore as _;

use super::{Context, output};
use crate::auth::{password::Passwords, token};

/// Flags of `users`.
#[derive(Debug, clap::Args)]
pub struct UsersArgs {
    #[command(subcommand)]
    command: UsersCommand,
}

#[derive(Debug, clap::Subcommand)]
enum UsersCommand {
    /// List accounts, also while the server runs
    List,
    /// Give an account a new random password and end its log-ins; the server must not run
    ResetPassword {
        /// E-mail address of the account
        email: String,
    },
    /// Change what an account may do; the server must not run
    SetRole {
        /// E-mail address of the account
        email: String,
        /// viewer, member, admin or owner
        #[arg(value_parser = role)]
        role: Role,
    },
}

/// Runs the subcommand.
pub async fn run(args: &UsersArgs, context: &Context) -> anyhow::Result<()> {
    match &args.command {
        UsersCommand::List => list(context).await,
        UsersCommand::ResetPassword { email } => reset_password(context, email).await,
        UsersCommand::SetRole { email, role } => set_role(context, email, *role).await,
    }
}

async fn list(context: &Context) -> anyhow::Result<()> {
    let users = context.open_to_read()?.list_users().await?;
    let row = |user: domain::user::User| {
        vec![
            user.id.to_string(),
            user.email,
            user.role.as_str().to_owned(),
            user.created_at.to_string(),
            user.name,
        ]
    };
    output::table(
        &["id", "email", "role", "created", "name"],
        &users.into_iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(())
}

async fn reset_password(context: &Context, email: &str) -> anyhow::Result<()> {
    let store = context.open_store().await?;
    let found = store.find_user_by_email(&text::email("email", email)?).await?;
    let user = found.context("there is no account with this address")?.user;
    let password = token::new_password_reset_token(&mut rand::rng());
    let hash = Passwords::new(&context.config.auth.argon2)?.hash(password.clone()).await?;
    store.change_password(user.id, &hash).await?;
    context.log(&store, "CLI users reset-password", &user.email, &json!({ "userId": user.id })).await?;
    store.close().await?;
    output::line(&format!("new password of {}: {}", user.email, password.expose()))?;
    output::line("log in with it and choose another at POST /api/auth/change-password")?;
    Ok(())
}

async fn set_role(context: &Context, email: &str, role: Role) -> anyhow::Result<()> {
    let store = context.open_store().await?;
    let found = store.find_user_by_email(&text::email("email", email)?).await?;
    let mut user = found.context("there is no account with this address")?.user;
    let others = store.list_users().await?.into_iter().filter(|other| other.id != user.id);
    let owner_stays =
        role == Role::Owner || others.into_iter().any(|other| other.role == Role::Owner && !other.demo);
    anyhow::ensure!(
        user.role != Role::Owner || owner_stays,
        "the installation would be left without an owner"
    );
    let before = std::mem::replace(&mut user.role, role);
    store.update_user(&user).await?;
    let changed = json!({ "userId": user.id, "role": role, "roleBefore": before });
    context.log(&store, "CLI users set-role", &user.email, &changed).await?;
    store.close().await?;
    output::line(&format!("{} is {} now", user.email, role.as_str()))?;
    Ok(())
}

fn role(name: &str) -> Result<Role, String> {
    Role::from_name(name).ok_or_else(|| "must be viewer, member, admin or owner".to_owned())
}
