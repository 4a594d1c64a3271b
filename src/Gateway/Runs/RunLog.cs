using System.Collections.Concurrent;
using Npgsql;
using Stoa.Gateway.Runs.Conversations;
using Stoa.Platform.Data;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Runs;

/// <summary>
/// Writes what a run leaves behind, before its answer ends: the row of the history, the conversation, the last uses, the jobs that follow,
/// and the end of its turn. Runs that end together share a round trip and a commit.
/// </summary>
internal sealed class RunLog
{
    /// <summary>A line of a batch has one row: the one that waited, or that of an attempt that failed, goes.</summary>
    private const string Waiting = """
        delete from gateway.runs where organization_id = $1 and message_id = $2 and batch_id = $3 and not is_success
        """;

    private const string Threads = """
        insert into gateway.threads (organization_id, agent_id, thread_id, sub_thread_id, created_at, updated_at)
        select organization, agent, thread, sub_thread, at, at
          from unnest($1, $2, $3, $4, $5) as used (organization, agent, thread, sub_thread, at)
        on conflict (organization_id, agent_id, thread_id, sub_thread_id) do update set updated_at = excluded.updated_at
        """;

    private const string HandOver = """
        update gateway.threads set sticky_agent_id = $5, sticky_at = $6
        where organization_id = $1 and agent_id = $2 and thread_id = $3 and sub_thread_id = $4
        """;

    private const string LastUses = """
        insert into gateway.last_uses (id, organization_id, at) select id, organization, at
          from unnest($1, $2, $3) as used (id, organization, at)
        on conflict (id) do update set at = excluded.at
        """;

    private const string KeyStatus = "update gateway.provider_keys set status = $3 where id = $1 and organization_id = $2 and status <> $3";

    /// <summary>A row that all runs of an agent would write is written no more often than this by a node.</summary>
    private static readonly TimeSpan UseEvery = TimeSpan.FromSeconds(10);
    private const int MaxRemembered = 100_000;

    private readonly NpgsqlDataSource database;
    private readonly JobQueue jobs;
    private readonly TimeProvider time;
    private readonly Coalescer<LoggedRun, LoggedRun> groups;
    private readonly ConcurrentDictionary<string, long> uses = new(StringComparer.Ordinal);

    public RunLog(NpgsqlDataSource database, JobQueue jobs, TimeProvider time)
    {
        (this.database, this.jobs, this.time) = (database, jobs, time);
        groups = new(CommitAsync);
    }

    /// <summary>Committed when it returns.</summary>
    public async Task WriteAsync(Run run, RunResult result, string? nextMessageId, IReadOnlyList<NewJob> following)
    {
        await groups.RunAsync(new(run, result, nextMessageId, following));
        run.Turn?.IsReleased = true;
    }

    /// <summary>All or nothing.</summary>
    private async Task<IReadOnlyList<LoggedRun>> CommitAsync(IReadOnlyList<LoggedRun> group)
    {
        var following = group.SelectMany(one => one.Following).ToList();
        var due = UsesOf(group);
        await using var connection = await database.OpenConnectionAsync();
        // Statements of one batch are one transaction already.
        await using var transaction = following.Count > 0 ? await connection.BeginTransactionAsync() : null;
        await using var batch = new NpgsqlBatch(connection, transaction);
        foreach (var command in CommandsOf(group, due))
        {
            batch.BatchCommands.Add(command);
        }
        await batch.PrepareAsync();
        await batch.ExecuteNonQueryAsync();
        if (transaction is not null)
        {
            await jobs.EnqueueAsync(connection, following, CancellationToken.None);
            await transaction.CommitAsync();
            jobs.Wake();
        }
        Written(due);
        return group;
    }

    // Rows that others write too are written in the same order by all, so that two groups never wait for each other.
    private static IEnumerable<NpgsqlBatchCommand> CommandsOf(IReadOnlyList<LoggedRun> group, IReadOnlyList<Use> due)
    {
        foreach (var request in group.Select(one => one.Run.Request).Where(request => request.BatchId is not null))
        {
            yield return new(Waiting)
            {
                Parameters =
                    { new() { Value = request.OrganizationId }, new() { Value = request.MessageId }, new() { Value = request.BatchId } },
            };
        }
        yield return LoggedRun.RowsOf(group);
        var used = group.Where(one => one.Thread is not null).GroupBy(one => one.Thread!, one => one.Run.LoggedAt)
            .OrderBy(one => one.Key, ThreadKey.Order).ToList();
        if (used.Count > 0)
        {
            var threads = ThreadKey.Command(Threads, [.. used.Select(one => one.Key)]);
            threads.Parameters.Add(new NpgsqlParameter<DateTimeOffset[]> { TypedValue = [.. used.Select(one => one.Max())] });
            yield return threads;
        }
        foreach (var one in group.Where(one => one is { Thread: not null, Run.Transfer: not null }))
        {
            var handOver = (one.Thread! with { AgentId = one.Run.Request.OriginAgentId ?? one.Thread.AgentId }).Command(HandOver);
            handOver.Parameters.Add(new() { Value = one.Run.Transfer!.AgentId });
            handOver.Parameters.Add(new() { Value = one.Run.LoggedAt });
            yield return handOver;
        }
        if (due.Count > 0)
        {
            yield return new(LastUses)
            {
                Parameters =
                {
                    new NpgsqlParameter<string[]> { TypedValue = [.. due.Select(use => use.Id)] },
                    new NpgsqlParameter<Guid[]> { TypedValue = [.. due.Select(use => use.OrganizationId)] },
                    new NpgsqlParameter<DateTimeOffset[]> { TypedValue = [.. due.Select(use => use.At)] },
                },
            };
        }
        foreach (var (run, keyId, status) in group
            .SelectMany(one => one.Run.KeyStatuses, (one, key) => (one.Run, KeyId: key.Key, Status: key.Value))
            .Where(key => key.Run.Plan.Agent?.Keys.Values.Any(known => known.Id == key.KeyId && known.Status == key.Status) != true)
            .OrderBy(key => key.KeyId, StringComparer.Ordinal))
        {
            yield return new(KeyStatus)
            {
                Parameters = { new() { Value = keyId }, new() { Value = run.Request.OrganizationId }, new() { Value = status } },
            };
        }
        if (group.Select(one => one.Run.Turn?.Holder).OfType<Guid>().ToArray() is { Length: > 0 } holders)
        {
            yield return new(ThreadTurns.Release) { Parameters = { new NpgsqlParameter<Guid[]> { TypedValue = holders } } };
        }
    }

    /// <summary>Which agents and keys of providers were used, as far as that is to be written again.</summary>
    private List<Use> UsesOf(IReadOnlyList<LoggedRun> group)
    {
        var now = time.GetTimestamp();
        return [.. group.Where(one => one.Thread is not null)
            .SelectMany(one => new[] { one.Thread!.AgentId, one.Run.Choice.KeyId }.OfType<string>(),
                (one, id) => new Use(id, one.Run.Request.OrganizationId, one.Run.LoggedAt))
            .Where(use => !uses.TryGetValue(use.Id, out var last) || time.GetElapsedTime(last, now) >= UseEvery)
            .DistinctBy(use => use.Id).OrderBy(use => use.Id, StringComparer.Ordinal)];
    }

    private void Written(List<Use> written)
    {
        if (uses.Count > MaxRemembered)
        {
            uses.Clear();
        }
        var now = time.GetTimestamp();
        written.ForEach(use => uses[use.Id] = now);
    }

    private sealed record Use(string Id, Guid OrganizationId, DateTimeOffset At);
}
