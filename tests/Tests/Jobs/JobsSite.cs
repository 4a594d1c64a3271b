using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Platform.Jobs;
using Stoa.Tests.Support;

namespace Stoa.Tests.Jobs;

/// <summary>What the handler of a <see cref="Step"/> does, by its name; what it does not find there it does not do.</summary>
internal sealed class Script
{
    private readonly ConcurrentQueue<string> ran = new();
    private int now;

    public ConcurrentDictionary<string, Func<JobContext, CancellationToken, Task>> Acts { get; } = new(StringComparer.Ordinal);

    public IReadOnlyCollection<string> Ran => ran;

    public int MostAtOnce { get; private set; }

    public void Clear()
    {
        Acts.Clear();
        ran.Clear();
        MostAtOnce = 0;
    }

    public async Task PlayAsync(string name, JobContext context, CancellationToken ct)
    {
        ran.Enqueue(name);
        lock (ran)
        {
            MostAtOnce = Math.Max(MostAtOnce, ++now);
        }
        try
        {
            await (Acts.TryGetValue(name, out var act) ? act(context, ct) : Task.CompletedTask);
        }
        finally
        {
            lock (ran)
            {
                now--;
            }
        }
    }
}

internal sealed record Step(string Name);

internal sealed record Narrow(string Name);

internal sealed class StepHandler(Script script) : IJobHandler<Step>
{
    public Task RunAsync(Step job, JobContext context, CancellationToken ct) => script.PlayAsync(job.Name, context, ct);
}

internal sealed class NarrowHandler(Script script) : IJobHandler<Narrow>
{
    public Task RunAsync(Narrow job, JobContext context, CancellationToken ct) => script.PlayAsync(job.Name, context, ct);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(Step))]
[JsonSerializable(typeof(Narrow))]
internal sealed partial class JobsTestJson : JsonSerializerContext;

internal sealed class Deed
{
    public int Id { get; set; }

    public required string Name { get; set; }
}

internal sealed class DeedsDb(DbContextOptions<DeedsDb> options) : ModuleDb(options, schema: "deeds")
{
    public DbSet<Deed> Deeds => Set<Deed>();
}

/// <summary>A host that knows two kinds of jobs, whose handlers are played from a <see cref="Script"/>.</summary>
internal sealed class JobsSite(HostUnderTest host, Script script) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public static readonly JobRules Quick = new() { FirstWait = TimeSpan.FromMilliseconds(10), MaxAttempts = 3 };

    public Script Script => script;

    public JobQueue Queue => host.Services.GetRequiredService<JobQueue>();

    public JobStore Store => host.Services.GetRequiredService<JobStore>();

    public JobActs Acts => host.Services.GetRequiredService<JobActs>();

    public NpgsqlDataSource Source => host.Services.GetRequiredService<NpgsqlDataSource>();

    public HostUnderTest Host => host;

    public string ConnectionString => host.Services.GetRequiredService<IConfiguration>().GetConnectionString("Stoa")!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="script">Given where jobs are waiting already: the host runs them as soon as it is up.</param>
    public static async Task<JobsSite> StartAsync(
        JobRules? rules = null, JobRules? narrow = null, Dictionary<string, string?>? settings = null, Script? script = null)
    {
        script ??= new Script();
        var host = await HostUnderTest.StartAsync(
            settings,
            builder =>
            {
                builder.Services.AddSingleton(script);
                builder.Services.AddJob<Step, StepHandler>("test.step", JobsTestJson.Default.Step, rules ?? Quick);
                builder.Services.AddJob<Narrow, NarrowHandler>(
                    "test.narrow", JobsTestJson.Default.Narrow, narrow ?? new() { MaxRunning = 1 });
                builder.Services.AddModuleDb<DeedsDb>();
            });
        var site = new JobsSite(host, script);
        await site.ExecuteAsync(
            "create schema if not exists deeds; create table if not exists deeds.deeds (id integer generated always as identity primary key, name text not null)");
        return site;
    }

    public async Task<Guid> EnqueueAsync(string name, EnqueueOptions? options = null) =>
        (await Queue.EnqueueAsync(new Step(name), options, Ct)).Id;

    public Task<JobRow> FinishedAsync(Guid id) => UntilAsync(id, job => job.State >= JobState.Succeeded);

    public async Task<JobRow> UntilAsync(Guid id, Func<JobRow, bool> condition)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var job = await Store.FindAsync(id, null, Ct);
            if (job is not null && condition(job))
            {
                return job;
            }
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, $"Still {job?.State.ToString() ?? "absent"}: {job}");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Ct);
        }
    }

    public Task QuietAsync() => UntilAsync(async () => await ScalarAsync<long>("select count(*) from platform.jobs") == 0);

    public static async Task UntilAsync(
        Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string? what = null)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < Patience, $"It did not come to {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Ct);
        }
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Ct))!;
    }

    /// <summary>As it was at its start: no jobs, none remembered, no kind paused, nothing to play. What runs is waited for.</summary>
    public async Task EmptyAsync()
    {
        await UntilAsync(async () => await ScalarAsync<long>("""
            with gone as (delete from platform.jobs where state <> 'running')
            select count(*) from platform.jobs where state = 'running'
            """) == 0);
        await ExecuteAsync("""
            delete from platform.jobs; delete from platform.finished_jobs; delete from platform.job_keys; delete from platform.job_inbox;
            delete from platform.job_kinds; delete from deeds.deeds
            """);
        script.Clear();
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();
}

/// <summary>One site for the tests of a class that need no rules or settings of their own and let every job end.</summary>
public sealed class SharedJobs : IAsyncLifetime
{
    private JobsSite? site;

    public async ValueTask InitializeAsync() => site = await JobsSite.StartAsync();

    internal async Task<JobsSite> FreshAsync()
    {
        await site!.EmptyAsync();
        return site;
    }

    public ValueTask DisposeAsync() => site!.DisposeAsync();
}
