//! `ai-cost-tracker projects`.

use store::ProjectStore as _;

use super::{Context, output};

/// Flags of `projects`.
#[derive(Debug, clap::Args)]
pub struct ProjectsArgs {
    #[command(subcommand)]
    command: ProjectsCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ProjectsCommand {
    /// List projects with their ids, also while the server runs
    List,
}

/// Runs the subcommand.
pub async fn run(args: &ProjectsArgs, context: &Context) -> anyhow::Result<()> {
    match args.command {
        ProjectsCommand::List => list(context).await,
    }
}

async fn list(context: &Context) -> anyhow::Result<()> {
    let projects = context.open_to_read()?.list_projects().await?;
    let row = |project: domain::project::Project| {
        let budget =
            project.budget.map(|budget| format!("{} {}", budget.amount, budget.currency)).unwrap_or_default();
        let state = if project.is_active { "active" } else { "off" };
        vec![
            project.id.to_string(),
            state.to_owned(),
            project.members.len().to_string(),
            budget,
            project.name,
        ]
    };
    output::table(
        &["id", "state", "members", "budget", "name"],
        &projects.into_iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(())
}
