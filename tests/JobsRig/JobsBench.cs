using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Jobs;

namespace Stoa.JobsRig;

/// <summary>
/// How fast the engine is, with durable commits, beside plain SQL that does no more than must be done, in the same run on the same
/// server. Prints one JSON line for each figure.
/// </summary>
internal sealed class JobsBench(RigDatabase database, bool quick)
{
    private const string Kind = "rig.no_op";
    private const int Clients = 8;

    private readonly int jobs = quick ? 5_000 : 50_000;
    private readonly TimeSpan span = TimeSpan.FromSeconds(quick ? 2 : 8);
    private readonly int waiting = quick ? 50_000 : 1_000_000;

    public static async Task<bool> RunAsync(string[] arguments)
    {
        await using var database = await RigDatabase.StartAsync();
        var bench = new JobsBench(database, arguments.Contains("--quick"));
        Print("jobs.load_average", double.Parse(
            (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture), "");
        await bench.FloorsAsync();
        await bench.ThroughputAsync();
        await bench.OtherNodeAsync();
        await bench.ManyWaitingAsync();
        return true;
    }

    private async Task FloorsAsync()
    {
        await database.ExecuteAsync("""
            create schema floor;
            create table floor.jobs (id uuid primary key, kind text not null, state smallint not null, run_at timestamptz not null, args jsonb not null);
            create index on floor.jobs (run_at, id) where state = 0;
            create table floor.finished (id uuid primary key, kind text not null, args jsonb not null, at timestamptz not null);
            """);
        var singles = await ForAWhileAsync(Clients, async () =>
        {
            await using var insert = database.Source.CreateCommand(
                "insert into floor.jobs values ($1, 'rig.no_op', 0, now(), '{\"Number\": 1}')");
            insert.Parameters.Add(new() { Value = Guid.CreateVersion7() });
            await insert.ExecuteNonQueryAsync();
        });
        Print("floor.single_insert_commit", 1e6 / singles, "us/job");

        await database.ExecuteAsync("truncate floor.jobs");
        var started = Stopwatch.GetTimestamp();
        var cpu = database.CpuTime();
        for (var done = 0; done < jobs; done += 500)
        {
            await using var batch = database.Source.CreateCommand(
                "insert into floor.jobs select id, 'rig.no_op', 0, now(), '{\"Number\": 1}' from unnest($1) id");
            batch.Parameters.Add(new() { Value = Enumerable.Range(0, 500).Select(_ => Guid.CreateVersion7()).ToArray() });
            await batch.ExecuteNonQueryAsync();
            await database.ExecuteAsync("""
                update floor.jobs set state = 1 where id in (
                  select id from floor.jobs where state = 0 and run_at <= now() order by run_at, id limit 500 for update skip locked)
                """);
            await database.ExecuteAsync("""
                with gone as (delete from floor.jobs where state = 1 returning *)
                insert into floor.finished select id, kind, args, now() from gone
                """);
        }
        Print("floor.batched_insert_claim_finish", Stopwatch.GetElapsedTime(started).TotalMicroseconds / jobs, "us/job");
        Print("floor.batched_cpu_server", (database.CpuTime() - cpu).TotalMicroseconds / jobs, "us/job");
    }

    private async Task ThroughputAsync()
    {
        var starts = new ConcurrentDictionary<int, long>();
        await using var node = await StartNodeAsync(starts);
        var queue = node.Services.GetRequiredService<JobQueue>();
        await EnqueueAsync(queue, 2_000);
        await FinishedAsync();

        var memory = Environment.WorkingSet;
        for (var round = 0; round < 3; round++)
        {
            var started = Stopwatch.GetTimestamp();
            var (ours, servers) = (Environment.CpuUsage.TotalTime, database.CpuTime());
            await EnqueueAsync(queue, jobs);
            var enqueued = Stopwatch.GetElapsedTime(started);
            await FinishedAsync();
            var took = Stopwatch.GetElapsedTime(started);
            Print("jobs.batched_enqueue", enqueued.TotalMicroseconds / jobs, "us/job");
            Print("jobs.batched_enqueue_to_done", took.TotalMicroseconds / jobs, "us/job", 100);
            Print("jobs.batched_cpu_engine", (Environment.CpuUsage.TotalTime - ours).TotalMicroseconds / jobs, "us/job");
            Print("jobs.batched_cpu_server", (database.CpuTime() - servers).TotalMicroseconds / jobs, "us/job");
        }

        for (var round = 0; round < 3; round++)
        {
            starts.Clear();
            var number = 0;
            var before = Stopwatch.GetTimestamp();
            var rate = await ForAWhileAsync(
                Clients, () => queue.EnqueueAsync(new NoOp(Interlocked.Increment(ref number)), null, CancellationToken.None));
            await FinishedAsync();
            Print("jobs.single_enqueue", 1e6 / rate, "us/job");
            Print("jobs.single_enqueue_to_done", Stopwatch.GetElapsedTime(before).TotalMicroseconds / number, "us/job", 1000);
        }
        Print("jobs.memory_growth", (Environment.WorkingSet - memory) / 1048576.0, "MiB", 64);

        await LatencyAsync("jobs.start_same_node", queue, starts, 20);
    }

    /// <summary>The enqueuing host runs nothing: the way is commit, NOTIFY, the other host's claim.</summary>
    private async Task OtherNodeAsync()
    {
        var starts = new ConcurrentDictionary<int, long>();
        await using var worker = await StartNodeAsync(starts);
        await using var api = await StartNodeAsync(starts, runs: false);
        await LatencyAsync("jobs.start_other_node", api.Services.GetRequiredService<JobQueue>(), starts, 100);
        var acts = api.Services.GetRequiredService<JobActs>();
        await CancelAsync("jobs.cancel_other_node", api, id => acts.CancelAsync(id, null, "bench", CancellationToken.None));
        // As if the word of it had been lost on the way.
        await CancelAsync("jobs.cancel_unheard", api, id => database.ExecuteAsync(
            $"update platform.jobs set cancel_requested_at = now() where id = '{id}'"));
    }

    /// <summary>From the act on one host to the end of the run on the other.</summary>
    private async Task CancelAsync(string name, NodeHost api, Func<Guid, Task> cancel)
    {
        var queue = api.Services.GetRequiredService<JobQueue>();
        var store = api.Services.GetRequiredService<JobStore>();
        ConcurrentBag<double> delays = [];
        for (var round = 0; round < (quick ? 3 : 25); round++)
        {
            await Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
            {
                var id = (await queue.EnqueueAsync(new Endless(), null, CancellationToken.None)).Id;
                await UntilAsync(JobState.Running, id);
                var asked = Stopwatch.GetTimestamp();
                await cancel(id);
                await UntilAsync(JobState.Cancelled, id);
                delays.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
            }));
        }
        var sorted = delays.Order().ToList();
        Print($"{name}_p50", sorted[sorted.Count / 2], "ms");
        Print($"{name}_p99", sorted[sorted.Count * 99 / 100], "ms", 5000);

        async Task UntilAsync(JobState state, Guid id)
        {
            while ((await store.FindAsync(id, null, CancellationToken.None))?.State != state)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
            }
        }
    }

    private async Task LatencyAsync(string name, JobQueue queue, ConcurrentDictionary<int, long> starts, double bound)
    {
        var count = quick ? 50 : 400;
        var delays = new List<double>();
        for (var number = -10; number < count; number++)
        {
            starts.TryRemove(number, out _);
            await queue.EnqueueAsync(new NoOp(number), null, CancellationToken.None);
            var committed = Stopwatch.GetTimestamp();
            long at;
            while (!starts.TryGetValue(number, out at))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
            }
            if (number >= 0)
            {
                delays.Add(Math.Max(0, Stopwatch.GetElapsedTime(committed, at).TotalMilliseconds));
            }
            await Task.Delay(TimeSpan.FromMilliseconds(30), TimeProvider.System);
        }
        delays.Sort();
        Print($"{name}_p50", delays[count / 2], "ms");
        Print($"{name}_p99", delays[count * 99 / 100], "ms", bound);
    }

    private async Task ManyWaitingAsync()
    {
        foreach (var (name, runAt) in new[] { ("due", "now()"), ("scheduled", "now() + interval '1 day'") })
        {
            await database.ExecuteAsync("truncate platform.jobs");
            await database.ExecuteAsync($$"""
                insert into platform.jobs (id, kind, state, priority, run_at, args, tenant, created_by, max_attempts)
                select gen_random_uuid(), '{{Kind}}', 'available', 1, {{runAt}}, '{"Number": 1}', '', 'bench', 5 from generate_series(1, {{waiting}})
                """);
            await database.ExecuteAsync("vacuum analyze platform.jobs");
            var kinds = new JobKind[] { new JobKind<NoOp, NoOpHandler>(Kind, RigJson.Default.NoOp, JobRules.Default) };
            var claims = new JobClaims(database.Source, "bench");
            List<double> times = [];
            for (var number = 0; number < (quick ? 50 : 300); number++)
            {
                var started = Stopwatch.GetTimestamp();
                await claims.TakeFreeAsync(kinds, 50, CancellationToken.None);
                times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            }
            times.Sort();
            Print($"jobs.claim_among_{waiting}_{name}_p50", times[times.Count / 2], "ms");
            Print($"jobs.claim_among_{waiting}_{name}_p95", times[times.Count * 95 / 100], "ms", 20);
        }
    }

    private Task<NodeHost> StartNodeAsync(ConcurrentDictionary<int, long> starts, bool runs = true) => NodeHost.StartAsync(
        RigDatabase.Address(database.Host, 5432), ["Jobs:Workers=8"],
        services =>
        {
            services.AddSingleton(starts);
            services.AddJob<NoOp, NoOpHandler>(Kind, RigJson.Default.NoOp);
            services.AddJob<Endless, EndlessHandler>("rig.endless", RigJson.Default.Endless);
        }, runs);

    private static async Task EnqueueAsync(JobQueue queue, int count)
    {
        foreach (var batch in Enumerable.Range(0, count).Chunk(1000))
        {
            await queue.EnqueueAsync([.. batch.Select(number => queue.Make(new NoOp(number)))], CancellationToken.None);
        }
    }

    private async Task FinishedAsync()
    {
        while (await database.ScalarAsync<bool>("select exists (select from platform.jobs)"))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System);
        }
    }

    /// <summary>Calls a second, of so many callers.</summary>
    private async Task<double> ForAWhileAsync(int callers, Func<Task> call)
    {
        var count = 0;
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
        {
            while (Stopwatch.GetElapsedTime(started) < span)
            {
                await call();
                Interlocked.Increment(ref count);
            }
        })));
        return count / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static void Print(string name, double value, string unit, double? bound = null) => Console.WriteLine(
        JsonSerializer.Serialize(new { name, value = Math.Round(value, 3), unit, bound, ok = bound is null || value <= bound }));
}
