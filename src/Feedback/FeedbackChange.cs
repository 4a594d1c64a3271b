using System.Text.Json.Nodes;
using Npgsql;
using Stoa.Feedback.Journal;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Feedback;

/// <summary>
/// One transaction: first what is read, with the locks that keep it true, then everything that is written, in one round trip.
/// </summary>
internal sealed class FeedbackChange(NpgsqlConnection connection, TimeProvider time)
{
    private readonly DateTimeOffset now = time.GetUtcNow();
    private readonly List<NpgsqlBatchCommand> writes = [];
    private readonly List<NewJob> jobs = [];

    public NpgsqlConnection Connection => connection;

    public DateTimeOffset Now => now;

    public Guid NewId() => Guid.CreateVersion7(now);

    /// <summary>To be written at the end.</summary>
    public void Write(string sql, params ReadOnlySpan<object?> values) => writes.Add(Statement.Of(sql, values));

    public void Enqueue(NewJob job) => jobs.Add(job);

    private static readonly string Noted = Noting(1);

    /// <summary>The statement that takes the values of <see cref="Notice"/>, from this parameter on.</summary>
    public static string Noting(int first) => $"""
        insert into feedback.journal (id, user_id, message_id, message_tree_id, api_client_id, event_type, event_payload, created_date)
        values (${first}, ${first + 1}::uuid, ${first + 2}::uuid, ${first + 3}::uuid, ${first + 4}, ${first + 5},
          ${first + 6}::jsonb, ${first + 7})
        """;

    /// <summary>What happened, for the record.</summary>
    public void Note(string happened, Guid clientId, Guid? userId, Guid? messageId, Guid? treeId, JsonObject what) =>
        Write(Noted, Notice(happened, clientId, userId, messageId, treeId, what));

    /// <summary>Values of <see cref="Noting"/>, for a statement that does more as well.</summary>
    public object?[] Notice(string happened, Guid clientId, Guid? userId, Guid? messageId, Guid? treeId, JsonObject what)
    {
        // Not the beginning of the transaction, which may have waited for its locks.
        var at = time.GetUtcNow();
        return [JournalId.Next(at), userId, messageId, treeId, clientId, happened, what.ToJsonString(), at];
    }

    /// <summary>Writes what was collected so far; what is read afterwards sees it.</summary>
    public async Task FlushAsync(CancellationToken ct)
    {
        if (writes.Count > 0)
        {
            await using var batch = await Statement.BatchAsync(connection, ct, writes);
            await batch.ExecuteNonQueryAsync(ct);
            writes.Clear();
        }
    }

    /// <summary>Writes everything, jobs too, and leaves the end of the transaction to whoever began it.</summary>
    public async Task SaveAsync(JobQueue queue, CancellationToken ct)
    {
        await FlushAsync(ct);
        if (jobs.Count > 0)
        {
            await queue.EnqueueAsync(connection, jobs, ct);
            jobs.Clear();
        }
    }

    /// <summary>Writes the rest and ends the transaction: in one round trip, where no job is to be added.</summary>
    public async Task CommitAsync(NpgsqlTransaction transaction, JobQueue queue, CancellationToken ct)
    {
        if (jobs.Count == 0)
        {
            writes.Add(Statement.Of("commit"));
            await FlushAsync(ct);
            return;
        }
        await SaveAsync(queue, ct);
        await transaction.CommitAsync(ct);
        queue.Wake();
    }
}

/// <summary>Runs changes, again where another transaction was in the way.</summary>
internal sealed class FeedbackChanges(NpgsqlDataSource source, JobQueue queue, TimeProvider time)
{
    private const int MaxAttempts = 4;

    public JobQueue Queue => queue;

    /// <exception cref="Failure">4: others were in the way each time.</exception>
    public Task<T> RunAsync<T>(Func<FeedbackChange, Task<T>> work, CancellationToken ct) => TryAsync(() => OnceAsync(work, ct));

    /// <summary>For what brings its own transactions.</summary>
    /// <inheritdoc cref="RunAsync{T}"/>
    public static async Task<T> TryAsync<T>(Func<Task<T>> work)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await work();
            }
            catch (PostgresException clash)
                when (clash.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected)
            {
                if (attempt == MaxAttempts)
                {
                    throw FeedbackCode.DatabaseMaxRetriesExhausted.Refusal("Too many others write the same at this moment");
                }
            }
        }
    }

    public Task RunAsync(Func<FeedbackChange, Task> work, CancellationToken ct) => RunAsync(
        async change =>
        {
            await work(change);
            return true;
        },
        ct);

    private async Task<T> OnceAsync<T>(Func<FeedbackChange, Task<T>> work, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var change = new FeedbackChange(connection, time);
        var result = await work(change);
        await change.CommitAsync(transaction, queue, ct);
        return result;
    }
}
