use domain::{Interval, query::*, usage_record::*};
use jiff::SignedDuration;
use std::{sync::Arc, time::Instant};
use store::{
    contract::{questions::*, random::Random, sample::*},
    sqlite::*,
    *,
};

fn rec(n: u32, r: &mut Random) -> UsageRecord {
    let mut x = varied_record(n, r);
    x.occurred_at = at("2024-01-01T00:00:00Z") + SignedDuration::from_secs(i64::from(n % 1_200_000) * 26);
    let p = r.below(50) as u32;
    x.user_id = id(100 + (p * 2 + r.below(2) as u32) % 40);
    x.project_id = if r.chance(5) { None } else { Some(id(1000 + p)) };
    let m = (p as usize * 3 + r.below(4)) % 20;
    x.model = format!("model-{m}");
    x.provider = format!("provider-{}", m % 6);
    x.customer_email = Some(format!("customer-{}@example.com", r.below(20_000)));
    x.session_id = Some(format!("session-{}", r.next_u64()));
    x.request_id = if n % 2 == 0 { Some(format!("request-{}", r.next_u64())) } else { None };
    x.metadata = Some(r#"{"feature":"chat","version":"1.2.3"}"#.into());
    x
}
fn t<T>(what: &str, start: Instant, v: T) -> T {
    println!("{what}: {:.2} ms", start.elapsed().as_secs_f64() * 1e3);
    v
}

#[tokio::main]
async fn main() {
    let path = std::path::PathBuf::from(std::env::args().nth(1).unwrap());
    let total: u32 = std::env::args().nth(2).unwrap().parse().unwrap();
    let store = Arc::new(Sqlite::open(&path, Options::default()).unwrap());
    let mut r = Random::new(9);
    let have = store
        .list_records(&RecordQuery { count: true, limit: 1, ..newest_first(everything()) })
        .await
        .unwrap()
        .total
        .unwrap();
    if have < total as u64 {
        let s = Instant::now();
        let mut gen_t = 0.0;
        for b in 0..total / 500 {
            let g = Instant::now();
            let batch: Vec<_> = (0..500).map(|i| rec(b * 500 + i + 1, &mut r)).collect();
            gen_t += g.elapsed().as_secs_f64();
            store.append(batch).await.unwrap();
        }
        let e = s.elapsed().as_secs_f64();
        println!(
            "batches of 500, one at a time: {:.0}/s (gen {gen_t:.1}s of {e:.1}s)",
            total as f64 / (e - gen_t)
        );
        let base = total + 10;
        let s = Instant::now();
        let before = store.stats().commits;
        let mut set = tokio::task::JoinSet::new();
        for w in 0..64u32 {
            let store = store.clone();
            set.spawn(async move {
                let mut r = Random::new(u64::from(w) + 100);
                for i in 0..200 {
                    store.append(vec![rec(base + w * 200 + i, &mut r)]).await.unwrap();
                }
            });
        }
        set.join_all().await;
        let e = s.elapsed().as_secs_f64();
        println!(
            "64 concurrent single appends: {:.0}/s, {} commits for {}",
            12800.0 / e,
            store.stats().commits - before,
            12800
        );
        let s = Instant::now();
        for i in 0..200 {
            store.append(vec![rec(base + 20000 + i, &mut r)]).await.unwrap();
        }
        println!("single appends alone: {:.0}/s", 200.0 / s.elapsed().as_secs_f64());
        let s = Instant::now();
        let mut set = tokio::task::JoinSet::new();
        for w in 0..8u32 {
            let store = store.clone();
            set.spawn(async move {
                let mut r = Random::new(u64::from(w) + 500);
                for b in 0..10u32 {
                    let batch: Vec<_> =
                        (0..500).map(|i| rec(base + 40000 + w * 5000 + b * 500 + i, &mut r)).collect();
                    store.append(batch).await.unwrap();
                }
            });
        }
        set.join_all().await;
        println!("8 concurrent x batches of 500: {:.0}/s", 40000.0 / s.elapsed().as_secs_f64());
    }
    println!("db MB {}", std::fs::metadata(&path).unwrap().len() >> 20);
    let p = everything().of_project(id(1007));
    for round in 0..2 {
        println!("-- round {round}");
        let s = Instant::now();
        let x = store.list_records(&RecordQuery { limit: 50, ..newest_first(p.clone()) }).await.unwrap();
        t("latest 50 of a project", s, x.records.len());
        let s = Instant::now();
        let x = store
            .list_records(&RecordQuery { limit: 50, count: true, ..newest_first(p.clone()) })
            .await
            .unwrap();
        t("latest 50 of a project + total", s, x.total);
        let m = Filter::all(Visibility::Of { user: id(103), projects: (1000..1010).map(id).collect() });
        let s = Instant::now();
        t(
            "latest 50 of a member of 10 projects",
            s,
            store
                .list_records(&RecordQuery { limit: 50, ..newest_first(m.clone()) })
                .await
                .unwrap()
                .records
                .len(),
        );
        let m2 = Filter::all(Visibility::Of { user: id(103), projects: vec![] });
        let s = Instant::now();
        t(
            "latest 50 of a member of none",
            s,
            store
                .list_records(&RecordQuery { limit: 50, ..newest_first(m2.clone()) })
                .await
                .unwrap()
                .records
                .len(),
        );
        let s = Instant::now();
        t(
            "latest 50 of all",
            s,
            store
                .list_records(&RecordQuery { limit: 50, ..newest_first(everything()) })
                .await
                .unwrap()
                .records
                .len(),
        );
        let year = period("2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z");
        let days = Bucket::Day.starts(year, &jiff::tz::TimeZone::UTC).unwrap();
        let s = Instant::now();
        t(
            "year's daily totals, rollup",
            s,
            store.aggregate(&sums(everything().during(year), Some(days.clone()), &[])).await.unwrap().len(),
        );
        let s = Instant::now();
        t(
            "year's daily totals, records",
            s,
            store
                .aggregate(&sums(
                    select(everything().during(year), Dimension::Team, &[], &["nobody"]),
                    Some(days.clone()),
                    &[],
                ))
                .await
                .unwrap()
                .len(),
        );
        let berlin =
            Bucket::Day.starts(year, &domain::interval::time_zone("x", "Europe/Berlin").unwrap()).unwrap();
        let s = Instant::now();
        t(
            "year's daily totals, Berlin",
            s,
            store.aggregate(&sums(everything().during(year), Some(berlin), &[])).await.unwrap().len(),
        );
        let s = Instant::now();
        t(
            "year by model, rollup",
            s,
            store.aggregate(&sums(everything().during(year), None, &[Dimension::Model])).await.unwrap().len(),
        );
        let month = Interval { start: at("2024-06-01T00:00:00Z"), end: at("2024-07-01T00:00:00Z") };
        let mdays = Bucket::Day.starts(month, &jiff::tz::TimeZone::UTC).unwrap();
        let s = Instant::now();
        t(
            "project 30 days day x model, rollup",
            s,
            store
                .aggregate(&sums(p.clone().during(month), Some(mdays.clone()), &[Dimension::Model]))
                .await
                .unwrap()
                .len(),
        );
        let s = Instant::now();
        t(
            "project 30 days day x team, records",
            s,
            store
                .aggregate(&sums(p.clone().during(month), Some(mdays), &[Dimension::Team]))
                .await
                .unwrap()
                .len(),
        );
        let s = Instant::now();
        t(
            "budget: project month total",
            s,
            store.aggregate(&sums(p.clone().during(month), None, &[])).await.unwrap().len(),
        );
        let s = Instant::now();
        t(
            "org 90 days by team and tag, records",
            s,
            store
                .aggregate(&sums(
                    everything().during(Interval {
                        start: at("2024-04-01T00:00:00Z"),
                        end: at("2024-07-01T00:00:00Z"),
                    }),
                    None,
                    &[Dimension::Team, Dimension::Tag],
                ))
                .await
                .unwrap()
                .len(),
        );
        let s = Instant::now();
        t(
            "percentiles org 30 days",
            s,
            store.latency_percentiles(&everything().during(month)).await.unwrap().p95,
        );
        let s = Instant::now();
        t(
            "search all, latest 50, rare",
            s,
            store
                .list_records(&RecordQuery {
                    limit: 50,
                    ..newest_first(Filter { search: Some("customer-777@".into()), ..everything() })
                })
                .await
                .unwrap()
                .records
                .len(),
        );
    }
    let s = Instant::now();
    let v = store.verify().await.unwrap();
    t(
        &format!(
            "verify {} records {} rollup rows {} differences",
            v.records, v.rollup_rows, v.difference_count
        ),
        s,
        (),
    );
    let s = Instant::now();
    store.rebuild().await.unwrap();
    t("rebuild", s, ());
    let b = path.with_extension("backup");
    let _ = std::fs::remove_file(&b);
    let s = Instant::now();
    store.backup_to(&b).await.unwrap();
    t("backup", s, ());
    let s = Instant::now();
    store.purge_projects(&[id(1049)]).await.unwrap();
    t("purge a project", s, ());
    store.close().await.unwrap();
}
