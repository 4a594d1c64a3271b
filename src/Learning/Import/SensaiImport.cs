using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Stoa.Learning.Organizations;

namespace Stoa.Learning.Import;

/// <summary>
/// Takes over what SensAI has in its database, from dumps that <c>sqlite3 -json</c> makes of its tables: with the ids, and with what was
/// deleted. All of it or nothing, into a module that has nobody yet.
/// </summary>
public sealed class SensaiImport
{
    private const int BatchRows = 2_000;

    /// <summary>Schools are counted by organizations of the platform, as those that are made here.</summary>
    private const string Before = """
        set local timezone = 'UTC';
        create function pg_temp.metered(slug text, name text) returns uuid language sql as $$
          with made as (select gen_random_uuid() as id)
          insert into platform.organizations (id, slug, name, created_at)
          select id, 'school-' || left(slug, 40) || '-' || right(id::text, 12), name, now() from made returning id
        $$;
        """;

    /// <summary>
    /// The original deletes evaluations that came to nothing; and what learners have recorded and handed in is known by their messages
    /// alone.
    /// </summary>
    private const string After = """
        update learning.chat_history set deleted_at = now()
        where role = 'assistant' and task_id is not null and deleted_at is null and content ~ '"feedback"\s*:\s*""';
        insert into learning.files (id, user_id, extension, content_type, created_at)
        select distinct on (id) id, user_id, case type when 'audio' then 'wav' else 'zip' end,
          case type when 'audio' then 'audio/wav' else 'application/zip' end, created_at
        from (
          select substring(content from '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}')::uuid as id, user_id,
            response_type as type, created_at
          from learning.chat_history where role = 'user' and response_type in ('audio', 'file')) handed
        where id is not null order by id, created_at;
        """;

    private readonly LearningDb db;
    private readonly SchoolBudgets budgets;

    internal SensaiImport(LearningDb db, SchoolBudgets budgets) => (this.db, this.budgets) = (db, budgets);

    /// <exception cref="InvalidDataException">There are users already, no dump of users, or a row that cannot be read.</exception>
    public async Task RunAsync(string folder, Action<string> tell, CancellationToken ct)
    {
        if (!File.Exists(Path.Combine(folder, "users.json")))
        {
            throw new InvalidDataException("There is no users.json in this folder");
        }
        await using (var transaction = await db.Database.BeginTransactionAsync(ct))
        {
            await db.Database.ExecuteSqlRawAsync("lock table learning.users in share row exclusive mode", ct);
            if (await db.Users.IgnoreQueryFilters().AnyAsync(ct))
            {
                throw new InvalidDataException("Learning has users already; their ids would be those of others");
            }
            var connection = (NpgsqlConnection)db.Database.GetDbConnection();
            await RunAsync(connection, transaction, Before, ct);
            foreach (var table in ImportTables.All)
            {
                await AddAsync(connection, transaction, table, folder, tell, ct);
            }
            await RunAsync(connection, transaction, After, ct);
            await transaction.CommitAsync(ct);
        }
        await budgets.FollowSettingsAsync(ct);
    }

    private static async Task AddAsync(
        NpgsqlConnection connection, IDbContextTransaction transaction,
        ImportTable table, string folder, Action<string> tell, CancellationToken ct)
    {
        var file = Path.Combine(folder, $"{table.Source}.json");
        if (!File.Exists(file) || new FileInfo(file).Length == 0)
        {
            // Of an empty table the tool writes nothing.
            tell($"{table.Source}: nothing");
            return;
        }
        var (read, added) = (0, 0);
        try
        {
            await using var content = File.OpenRead(file);
            await foreach (var rows in JsonSerializer.DeserializeAsyncEnumerable(content, ImportJson.Default.JsonElement, ct)
                .Chunk(BatchRows).WithCancellation(ct))
            {
                read += rows.Length;
                // No text of ours has this character: neither a column's own, nor that of a document in it.
                var batch = $"[{string.Join(',', rows.Select(row => row.GetRawText()))}]"
                    .Replace(@"\\u0000", "", StringComparison.Ordinal).Replace(@"\u0000", "", StringComparison.Ordinal);
                added += await RunAsync(connection, transaction, table.Statement, ct, batch);
            }
        }
        catch (Exception problem) when (problem is JsonException or PostgresException)
        {
            throw new InvalidDataException($"{table.Source}: {(problem as PostgresException)?.MessageText ?? problem.Message}", problem);
        }
        await RunAsync(connection, transaction,
            $"select setval(pg_get_serial_sequence('learning.{table.Name}', 'id'), greatest(1, (select max(id) from learning.{table.Name})))", ct);
        tell(added == read ? $"{table.Source}: {added}"
            : $"{table.Source}: {added}, and {read - added} that name something that is not there");
    }

    private static async Task<int> RunAsync(
        NpgsqlConnection connection, IDbContextTransaction transaction, string sql, CancellationToken ct, string? rows = null)
    {
        await using var command =
            new NpgsqlCommand(sql, connection, (NpgsqlTransaction)transaction.GetDbTransaction()) { CommandTimeout = 0 };
        if (rows is not null)
        {
            command.Parameters.Add(new() { Value = rows });
        }
        return await command.ExecuteNonQueryAsync(ct);
    }
}

[JsonSerializable(typeof(JsonElement))]
internal sealed partial class ImportJson : JsonSerializerContext;
