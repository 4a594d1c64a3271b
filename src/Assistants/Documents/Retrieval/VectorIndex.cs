using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Documents.Retrieval;

/// <summary>
/// Where the database has pgvector: an HNSW index over the signs of vectors, one for each number of dimensions, made as soon as somebody
/// has so many chunks that counting the signs of all of them takes its time. It only chooses what is compared; the vectors themselves are
/// compared as without it. So it can be made, and dropped with the extension, at any time.
/// </summary>
internal sealed partial class VectorIndex(NpgsqlDataSource source, IOptions<DocumentsOptions> options, ILogger<VectorIndex> logger)
{
    // From here on an index goes on where a condition, such as whose the chunks are, leaves too few of what it found first.
    private static readonly Version Oldest = new(0, 8);

    private int Above => options.Value.VectorIndexAbove;

    public static string NameFor(int dimensions) => string.Create(CultureInfo.InvariantCulture, $"document_chunks_near_{dimensions}");

    /// <summary>The schema of pgvector where this search shall take its index; null: all signs of the user are counted.</summary>
    public async Task<string?> PlaceAsync(string userId, string model, int dimensions, CancellationToken ct)
    {
        if (Above == 0)
        {
            return null;
        }
        await using var command = source.CreateCommand("""
            select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace
            where e.extname = 'vector' and exists (select from pg_index i where i.indexrelid = to_regclass($1) and i.indisvalid)
              and (select count(*) from (
                select from assistants.document_chunks where user_id = $2 and embedding_model = $3 and deleted_at is null limit $4 + 1
              ) counted) > $4
            """);
        command.Parameters.Add(new() { Value = $"assistants.{NameFor(dimensions)}" });
        command.Parameters.Add(new() { Value = userId });
        command.Parameters.Add(new() { Value = model });
        command.Parameters.Add(new() { Value = Above });
        return (string?)await command.ExecuteScalarAsync(ct);
    }

    /// <summary>Makes the indexes that are worth it; no writer waits for that. Where there is no pgvector nothing happens.</summary>
    public async Task MakeAsync(CancellationToken ct)
    {
        if (Above == 0 || await AvailableAsync(ct) is not { } version)
        {
            return;
        }
        var dimensions = await WorthwhileAsync(ct);
        if (dimensions.Count == 0)
        {
            return;
        }
        if (version < Oldest)
        {
            LogTooOld(version, Oldest);
            return;
        }
        try
        {
            await ExecuteAsync("create extension if not exists vector", ct);
        }
        catch (PostgresException refused)
            when (refused.SqlState is PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.UndefinedFile)
        {
            LogNotAllowed(refused.MessageText);
            return;
        }
        foreach (var count in dimensions)
        {
            await MakeAsync(count, ct);
        }
    }

    private async Task MakeAsync(int dimensions, CancellationToken ct)
    {
        var name = NameFor(dimensions);
        switch (await ScalarAsync($"select indisvalid from pg_index where indexrelid = to_regclass('assistants.{name}')", ct))
        {
            case true:
                return;
            case false:
                // Whoever was making it died over it.
                await ExecuteAsync($"drop index concurrently assistants.{name}", ct);
                break;
        }
        var schema = await ScalarAsync(
            "select quote_ident(n.nspname) from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'vector'",
            ct);
        await ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $"""
            create index concurrently {name} on assistants.document_chunks using hnsw ((signature::bit({dimensions})) {schema}.bit_hamming_ops)
            where deleted_at is null and length(signature) = {dimensions}
            """), ct);
        LogMade(dimensions);
    }

    /// <summary>Of what is installed, else of what could be; null: there is none.</summary>
    private async Task<Version?> AvailableAsync(CancellationToken ct) =>
        await ScalarAsync("select coalesce(installed_version, default_version) from pg_available_extensions where name = 'vector'", ct)
            is string text
        && Version.TryParse(text, out var version) ? version : null;

    private async Task<List<int>> WorthwhileAsync(CancellationToken ct)
    {
        await using var command = source.CreateCommand("""
            select distinct length(signature) from assistants.document_chunks where deleted_at is null and signature is not null
            group by user_id, embedding_model, length(signature) having count(*) > $1
            """);
        command.Parameters.Add(new() { Value = Above });
        await using var rows = await command.ExecuteReaderAsync(ct);
        var found = new List<int>();
        while (await rows.ReadAsync(ct))
        {
            found.Add(rows.GetInt32(0));
        }
        return found;
    }

    private async Task<object?> ScalarAsync(string sql, CancellationToken ct)
    {
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(ct);
    }

    private async Task ExecuteAsync(string sql, CancellationToken ct)
    {
        await using var command = source.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(ct);
    }

    [LoggerMessage(LogLevel.Information, "Vectors of {Dimensions} dimensions have an index of pgvector now")]
    private partial void LogMade(int dimensions);

    [LoggerMessage(LogLevel.Warning, "pgvector {Version} is too old, {Oldest} is needed: vectors are searched without an index")]
    private partial void LogTooOld(Version version, Version oldest);

    [LoggerMessage(LogLevel.Warning,
        "pgvector is there but may not be used (create extension vector): {Problem}; vectors are searched without an index")]
    private partial void LogNotAllowed(string problem);
}

/// <summary>Every hour: looks whether an index is worth it by now.</summary>
internal sealed record IndexVectors
{
    public const string Kind = "assistants.index_vectors";

    public static readonly TimeSpan Every = TimeSpan.FromHours(1);
}

internal sealed class IndexVectorsHandler(VectorIndex index) : IJobHandler<IndexVectors>
{
    /// <summary>An index over millions of chunks is not made in a minute, and not twice at the same time.</summary>
    public static readonly JobRules Rules =
        ScheduleRules.Default with { Timeout = TimeSpan.FromHours(6), MaxRunning = 1, Priority = JobPriority.Bulk };

    public Task RunAsync(IndexVectors job, JobContext context, CancellationToken ct) => index.MakeAsync(ct);
}
