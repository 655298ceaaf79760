//! `ai-cost-tracker import`.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::ArgGroup;
use domain::{
    Clock as _, ProjectId, Secret,
    interval::time_zone,
    project::ProjectRole,
    user::{Role, User},
};
use pricing::{Catalog, PriceBook};

use super::{Context, output};
use crate::{
    app::App,
    audit::Trail,
    auth::Caller,
    clock::SystemClock,
    import::{
        Destination, ErrorFile, Format, Mapping, Plan, Reading, Remote, Summary, Unusable, Wishes, import,
    },
    price_book, telemetry,
};

/// Environment variable of the key to a running server. There is no flag for it: other users see the flags of programs.
const KEY_VARIABLE: &str = "AICT_API_KEY";

/// Flags of `import`.
#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("where").args(["server", "dry_run"]))]
pub struct ImportArgs {
    /// Files to import; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// csv or jsonl; from the ending of each file when missing
    #[arg(long, value_parser = format)]
    format: Option<Format>,
    /// Field and the column that it comes from, e.g. --map promptTokens=ContextTokens; repeatable
    #[arg(long, value_name = "FIELD=COLUMN", value_parser = pair)]
    map: Vec<(String, String)>,
    /// Field and its value in every row, e.g. --set model=gpt-4-0613; repeatable
    #[arg(long, value_name = "FIELD=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Column to leave out; others that are no field are kept as metadata; repeatable
    #[arg(long, value_name = "COLUMN")]
    ignore: Vec<String>,
    /// Zone of times without an offset
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    time_zone: String,
    /// Character between the cells of a CSV file [default: , (tab for .tsv)]
    #[arg(long, value_name = "CHARACTER", value_parser = delimiter)]
    delimiter: Option<u8>,
    /// Whose records they are, by e-mail address [default: the owner's]
    #[arg(long, value_name = "EMAIL", conflicts_with = "where")]
    user: Option<String>,
    /// Project that they are for
    #[arg(long, value_name = "ID")]
    project: Option<ProjectId>,
    /// Send them to the running server at URL; its tracker key comes from the variable `AICT_API_KEY`
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Read and price everything and record nothing
    #[arg(long)]
    dry_run: bool,
    /// Write rows that fail to this new file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    errors: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
}

/// Imports the files. Exit status 1 if a row or the import failed, 2 if it cannot be done as asked.
pub async fn run(args: ImportArgs, context: &Context) -> anyhow::Result<ExitCode> {
    telemetry::start_logs(&context.config.log)?;
    match import_files(&args, context).await {
        Ok(summary) => {
            print(&summary, args.json)?;
            Ok(if summary.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(error) if error.is::<Unusable>() => {
            output::complain(&format!("{error:#}"));
            Ok(ExitCode::from(2))
        }
        Err(error) => Err(error),
    }
}

async fn import_files(args: &ImportArgs, context: &Context) -> anyhow::Result<Summary> {
    let plan = plan(args, context)?;
    let errors = args.errors.clone().map(ErrorFile::new).transpose()?;
    if args.dry_run {
        let book = match context.open_to_read() {
            Ok(store) => price_book::load(&store).await?,
            // Without a store there is nothing that the operator said of prices.
            Err(_) => PriceBook::new(Arc::clone(Catalog::embedded_arc())),
        };
        let nowhere = Destination::Nowhere { book, now: SystemClock.now() };
        return import(&plan, &nowhere, errors).await;
    }
    if let Some(url) = &args.server {
        let remote = Remote::new(url, key(context)?, SystemClock.now())?;
        return import(&plan, &Destination::Server(remote), errors).await;
    }
    let (app, store) = context.open_app().await?;
    let caller = caller(&app, args.user.as_deref()).await?;
    if let Some(project) = args.project {
        check_project(&app, &caller, project).await?;
    }
    let summary = import(&plan, &Destination::Store { app: &app, caller: Box::new(caller) }, errors).await?;
    app.stop().await;
    store.close().await?;
    Ok(summary)
}

fn plan(args: &ImportArgs, context: &Context) -> Result<Plan, Unusable> {
    let zone = time_zone("--time-zone", &args.time_zone).map_err(|error| Unusable::new(error.to_string()))?;
    let mut constants = args.set.clone();
    constants.extend(args.project.map(|project| ("projectId".to_owned(), project.to_string())));
    let wishes = Wishes { maps: args.map.clone(), constants, ignored: args.ignore.clone() };
    let row_bytes_max = context.config.limits.bulk_line_bytes_max;
    Ok(Plan {
        files: args.files.clone(),
        reading: Reading { format: args.format, delimiter: args.delimiter, row_bytes_max },
        mapping: Mapping::new(&wishes, zone)?,
        shows_progress: !args.quiet,
    })
}

fn key(context: &Context) -> Result<Secret, Unusable> {
    let key = context.environment.get(KEY_VARIABLE).filter(|key| !key.trim().is_empty());
    let advice = "--server needs a tracker key with the scope ingest in the environment variable";
    key.map(|key| Secret::new(key.trim())).ok_or_else(|| Unusable::new(format!("{advice} {KEY_VARIABLE}")))
}

/// The account whose records they are, as a caller with all that it may do.
async fn caller(app: &App, email: Option<&str>) -> anyhow::Result<Caller> {
    let user = match email {
        Some(email) => find_user(app, email).await?,
        None => find_owner(app).await?,
    };
    if user.role < Role::Member {
        return Err(Unusable::new(format!("{} is a viewer, who records nothing", user.email)).into());
    }
    Ok(Caller { user, key: None, address: None, trail: Trail::default() })
}

async fn find_user(app: &App, email: &str) -> anyhow::Result<User> {
    let found = app.meta.find_user_by_email(&email.trim().to_lowercase()).await?;
    let missing =
        || Unusable::new(format!("there is no account {email:?}; `ai-cost-tracker users list` lists them"));
    Ok(found.ok_or_else(missing)?.user)
}

async fn find_owner(app: &App) -> anyhow::Result<User> {
    let users = app.meta.list_users().await?;
    let owner = users
        .into_iter()
        .filter(|user| user.role == Role::Owner && !user.demo)
        .min_by_key(|user| user.created_at);
    let missing =
        "records need an account: start the server and register the first one, who becomes the owner";
    Ok(owner.ok_or_else(|| Unusable::new(missing))?)
}

async fn check_project(app: &App, caller: &Caller, id: ProjectId) -> anyhow::Result<()> {
    let found = caller.find_project(app, id).await?;
    let problem = match found {
        None => "there is no such project, or the account is not a member of it",
        Some((_, role)) if role < ProjectRole::Member => "the account may only look at this project",
        Some((project, _)) if !project.is_active => "the project is switched off; it takes no new usage",
        Some(_) => return Ok(()),
    };
    Err(Unusable::new(format!("--project {id}: {problem}")).into())
}

fn print(summary: &Summary, as_json: bool) -> anyhow::Result<()> {
    let text = if as_json { serde_json::to_string_pretty(summary)? } else { summary.to_string() };
    output::line(text.trim_end())?;
    Ok(())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("must be FIELD=…")?;
    if name.trim().is_empty() || value.is_empty() {
        return Err("must be FIELD=…, neither side empty".to_owned());
    }
    Ok((name.trim().to_owned(), value.to_owned()))
}

fn format(name: &str) -> Result<Format, String> {
    Format::from_name(name).ok_or_else(|| "must be csv or jsonl".to_owned())
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if text == "\\t" => Ok(b'\t'),
        [one] if one.is_ascii() => Ok(*one),
        _ => Err("must be one ASCII character, or \\t".to_owned()),
    }
}
