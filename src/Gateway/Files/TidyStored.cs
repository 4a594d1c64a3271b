using Npgsql;
using Stoa.Gateway.Batches;
using Stoa.Platform.Jobs;

namespace Stoa.Gateway.Files;

/// <summary>Deletes what was kept for a time that is over: responses, files, batches, answers by idempotency key, files of conversations.</summary>
internal sealed record TidyStored;

internal sealed class TidyStoredHandler(NpgsqlDataSource source, FileStore files, BatchStore batches, TimeProvider time) : IJobHandler<TidyStored>
{
    public static readonly TimeSpan Every = TimeSpan.FromMinutes(10);

    /// <summary>Of each at a time, so that no statement runs for long.</summary>
    private const int Most = 500;

    public async Task RunAsync(TidyStored job, JobContext context, CancellationToken ct)
    {
        await UntilDoneAsync(() => DeleteAsync("gateway.responses", ct));
        await UntilDoneAsync(() => DeleteAsync("gateway.idempotent_answers", ct));
        await UntilDoneAsync(() => DeleteAsync("gateway.thread_files", ct));
        await UntilDoneAsync(() => batches.TidyAsync(Most, ct));
        await UntilDoneAsync(() => files.TidyAsync(Most, ct));
    }

    private static async Task UntilDoneAsync(Func<Task<int>> delete)
    {
        while (await delete() == Most)
        {
        }
    }

    private async Task<int> DeleteAsync(string table, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            $"delete from {table} where ctid = any (array(select ctid from {table} where expires_at < $1 order by expires_at limit $2))");
        command.Parameters.Add(new() { Value = time.GetUtcNow() });
        command.Parameters.Add(new() { Value = Most });
        return await command.ExecuteNonQueryAsync(ct);
    }
}
