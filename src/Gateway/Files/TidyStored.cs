using Npgsql;
using Stoa.Gateway.Batches;
using Stoa.Platform.Jobs;
using Stoa.Platform.Storage;

namespace Stoa.Gateway.Files;

/// <summary>
/// Deletes what was kept for a time that is over: responses, files, batches, answers by idempotency key, files of conversations.
/// </summary>
internal sealed record TidyStored;

/// <remarks>
/// By statements alone: it is what a host without calls does every ten minutes, and the module's unit of work would cost that host twenty
/// megabytes.
/// </remarks>
internal sealed class TidyStoredHandler(NpgsqlDataSource source, IStorage storage, TimeProvider time) : IJobHandler<TidyStored>
{
    public static readonly TimeSpan Every = TimeSpan.FromMinutes(10);

    /// <summary>Of each at a time, so that no statement runs for long.</summary>
    private const int Most = 500;

    public async Task RunAsync(TidyStored job, JobContext context, CancellationToken ct)
    {
        var now = time.GetUtcNow();
        await UntilDoneAsync(() => DeleteAsync("gateway.responses", "expires_at", now, ct));
        await UntilDoneAsync(() => DeleteAsync("gateway.idempotent_answers", "expires_at", now, ct));
        await UntilDoneAsync(() => DeleteAsync("gateway.thread_files", "expires_at", now, ct));
        await UntilDoneAsync(() => DeleteAsync("gateway.batches", "ended_at", now - BatchStore.Kept, ct));
        await UntilDoneAsync(() => DeleteFilesAsync(now, ct));
    }

    private static async Task UntilDoneAsync(Func<Task<int>> delete)
    {
        while (await delete() == Most)
        {
        }
    }

    private async Task<int> DeleteAsync(string table, string end, DateTimeOffset before, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            $"delete from {table} where ctid = any (array(select ctid from {table} where {end} < $1 order by {end} limit $2))");
        command.Parameters.Add(new() { Value = before });
        command.Parameters.Add(new() { Value = Most });
        return await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The row first, which says that the content is there.</summary>
    private async Task<int> DeleteFilesAsync(DateTimeOffset now, CancellationToken ct)
    {
        var expired = await ExpiredFilesAsync(now, ct);
        foreach (var (organizationId, id) in expired)
        {
            await using var command = source.CreateCommand("delete from gateway.stored_files where id = $1");
            command.Parameters.Add(new() { Value = id });
            await command.ExecuteNonQueryAsync(ct);
            await storage.DeleteAsync(FileStore.PathOf(organizationId, id), ct);
        }
        return expired.Count;
    }

    private async Task<List<(Guid OrganizationId, string Id)>> ExpiredFilesAsync(DateTimeOffset now, CancellationToken ct)
    {
        await using var command = source.CreateCommand(
            "select organization_id, id from gateway.stored_files where expires_at < $1 order by expires_at limit $2");
        command.Parameters.Add(new() { Value = now });
        command.Parameters.Add(new() { Value = Most });
        await using var reader = await command.ExecuteReaderAsync(ct);
        var files = new List<(Guid, string)>();
        while (await reader.ReadAsync(ct))
        {
            files.Add((reader.GetGuid(0), reader.GetString(1)));
        }
        return files;
    }
}
