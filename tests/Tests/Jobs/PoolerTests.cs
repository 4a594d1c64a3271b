using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Stoa.Platform;
using Stoa.Platform.Data;
using Stoa.Platform.Jobs;
using Stoa.Tests.Support;

namespace Stoa.Tests.Jobs;

/// <summary>Nodes that reach the database only through a pooler in transaction mode.</summary>
public sealed class PoolerTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Jobs_run_are_limited_completed_and_cancelled_behind_a_pooler_in_transaction_mode()
    {
        Assert.SkipUnless(Pooler.IsInstalled, "PgBouncer is not installed");
        await using var pooler = await Pooler.StartAsync(database.ConnectionString, Ct);
        await database.ExecuteAsync("create table deeds (name text not null)");
        var script = new Script();
        using var one = await NodeAsync(pooler, script);
        using var other = await NodeAsync(pooler, script);
        var queue = one.Services.GetRequiredService<JobQueue>();
        var source = one.Services.GetRequiredService<NpgsqlDataSource>();
        script.Acts["deed"] = async (context, ct) =>
        {
            await using var connection = await source.OpenConnectionAsync(ct);
            await using var transaction = await connection.BeginTransactionAsync(ct);
            await using var insert = new NpgsqlCommand("insert into deeds values ('done')", connection);
            await insert.ExecuteNonQueryAsync(ct);
            context.Report(1, 1);
            await context.CompleteAsync(connection, ct);
            await transaction.CommitAsync(ct);
        };
        script.Acts["long"] = (_, ct) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);

        var stopped = await queue.EnqueueAsync(new Step("long"), null, Ct);
        await JobsSite.UntilAsync(() => database.ScalarAsync<bool>("select count(*) = 1 from platform.jobs where state = 'running'"));
        await queue.EnqueueAsync([.. Enumerable.Range(0, 200).Select(_ => queue.Make(new Step("deed")))], Ct);
        await queue.EnqueueAsync(
            [.. Enumerable.Range(0, 50).Select(number => queue.Make(new Narrow("narrow"), new() { UniqueKey = $"{number}" }))], Ct);
        await JobsSite.UntilAsync(() => database.ScalarAsync<bool>("select count(*) = 1 from platform.jobs"));
        Assert.True(await other.Services.GetRequiredService<JobActs>().CancelAsync(stopped.Id, null, "test", Ct));
        await JobsSite.UntilAsync(() => database.ScalarAsync<bool>("select count(*) = 0 from platform.jobs"));
        await one.StopAsync(Ct);
        await other.StopAsync(Ct);

        Assert.Equal(200, await database.ScalarAsync<long>("select count(*) from deeds"));
        Assert.Equal(
            "cancelled 1, succeeded 250",
            await database.ScalarAsync<string>("""
                select string_agg(state || ' ' || jobs, ', ' order by state)
                from (select state, count(*) as jobs from platform.finished_jobs group by state) ends
                """));
    }

    [Fact]
    public async Task Hosts_that_start_at_once_migrate_behind_a_pooler_in_transaction_mode()
    {
        Assert.SkipUnless(Pooler.IsInstalled, "PgBouncer is not installed");
        // A lock that stays behind in a session of the pooler's would be waited for without end.
        await database.ExecuteAsync("do $$ begin execute format('alter database %I set lock_timeout = 20000', current_database()); end $$");
        await using var pooler = await Pooler.StartAsync(database.ConnectionString, Ct);
        var files = Enumerable.Range(1, 8).Select(number => new Migration(
            number, $"{number:d4}_table", $"create table pooled.table_{number} (id integer); select pg_sleep(0.02);"));
        var module = new Migrations("pooled", [.. files]);

        var runs = await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            await using var source = NpgsqlDataSource.Create(pooler.ConnectionString);
            return await new Migrator(source, [module], NullLogger<Migrator>.Instance).MigrateAsync(Ct);
        }));

        Assert.Equal(module.Files.Select(file => $"pooled/{file.Name}"), runs.SelectMany(run => run).Order(StringComparer.Ordinal));
        Assert.Equal(0, await database.ScalarAsync<long>(
            "select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())"));
    }

    private static async Task<IHost> NodeAsync(Pooler pooler, Script script)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration.AddInMemoryCollection([new("Jobs:PollMs", "50"), new("Jobs:DrainSeconds", "1")]);
        builder.Services.AddSingleton(NpgsqlDataSource.Create(pooler.ConnectionString));
        var readiness = new DatabaseReadiness();
        readiness.Migrated();
        builder.Services.AddSingleton(readiness);
        builder.Services.AddSingleton<Readiness>();
        builder.Services.AddSingleton<ChangeFeed>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<ChangeFeed>());
        builder.Services.AddSingleton(script);
        builder.Services.AddJob<Step, StepHandler>("test.step", JobsTestJson.Default.Step, JobsSite.Quick);
        builder.Services.AddJob<Narrow, NarrowHandler>("test.narrow", JobsTestJson.Default.Narrow, new() { MaxRunning = 2 });
        builder.Services.AddJobs(runs: true);
        var host = builder.Build();
        await host.StartAsync(Ct);
        return host;
    }
}
