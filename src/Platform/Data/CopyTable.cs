using Microsoft.Extensions.Logging;
using Npgsql;

namespace Stoa.Platform.Data;

/// <summary>
/// Stores batches of rows by binary <c>COPY</c>. A batch is repeated until the database has it, however long it is away. The table
/// needs a primary or unique key that comes with the row: a batch whose commit got lost on the way is then not stored twice.
/// </summary>
/// <param name="table">With its schema; like the columns a constant of ours, never input.</param>
/// <param name="write">Writes the columns of a row, in order (not the start of the row).</param>
public sealed partial class CopyTable<T>(
    NpgsqlDataSource source,
    string table,
    IReadOnlyList<string> columns,
    Func<NpgsqlBinaryImporter, T, CancellationToken, Task> write,
    TimeProvider time,
    ILogger logger)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private readonly string columnList = string.Join(", ", columns);

    public async Task StoreAsync(IReadOnlyList<T> rows, CancellationToken ct)
    {
        var isRepeated = false;
        for (var pause = ShortestPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            try
            {
                await (isRepeated ? MergeAsync(rows, ct) : AppendAsync(rows, ct));
                return;
            }
            catch (PostgresException exception) when (!isRepeated && exception.SqlState is PostgresErrorCodes.UniqueViolation)
            {
                // Some rows are there already: merge at once.
                isRepeated = true;
                continue;
            }
            catch (Exception exception) when (IsRefusal(exception))
            {
                await StoreWhatCanBeAsync(rows, exception, ct);
                return;
            }
            catch (Exception exception) when (!ct.IsCancellationRequested)
            {
                LogRepeating(table, rows.Count, exception.Message);
                isRepeated = true;
            }
            await Task.Delay(pause, time, ct);
        }
    }

    // Class 22 and 23: this row, not the moment, is wrong. So is whatever our own writer throws at it.
    private static bool IsRefusal(Exception exception) => exception is PostgresException refused
        ? refused.SqlState[..2] is "22" or "23"
        : !Outage.Is(exception) && exception is not (OperationCanceledException or ObjectDisposedException);

    /// <summary>One impossible row must not hold up, or take down, the others.</summary>
    private async Task StoreWhatCanBeAsync(IReadOnlyList<T> rows, Exception exception, CancellationToken ct)
    {
        if (rows.Count == 1)
        {
            LogRefused(exception, table);
            return;
        }
        var middle = rows.Count / 2;
        await StoreAsync([.. rows.Take(middle)], ct);
        await StoreAsync([.. rows.Skip(middle)], ct);
    }

    private async Task AppendAsync(IReadOnlyList<T> rows, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await CopyAsync(connection, table, rows, ct);
    }

    private async Task MergeAsync(IReadOnlyList<T> rows, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await ExecuteAsync(connection, $"create temp table arriving on commit drop as select {columnList} from {table} with no data", ct);
        await CopyAsync(connection, "arriving", rows, ct);
        await ExecuteAsync(
            connection, $"insert into {table} ({columnList}) select {columnList} from arriving on conflict do nothing", ct);
        await transaction.CommitAsync(ct);
    }

    private async Task CopyAsync(NpgsqlConnection connection, string target, IReadOnlyList<T> rows, CancellationToken ct)
    {
        await using var import = await connection.BeginBinaryImportAsync($"copy {target} ({columnList}) from stdin (format binary)", ct);
        foreach (var row in rows)
        {
            await import.StartRowAsync(ct);
            await write(import, row, ct);
        }
        await import.CompleteAsync(ct);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }

    internal void LogAbandoned(int count) => LogAbandoned(table, count);

    [LoggerMessage(LogLevel.Error, "Stopped with {Count} rows not stored in {Table}: the database was away too long")]
    private partial void LogAbandoned(string table, int count);

    [LoggerMessage(LogLevel.Warning, "Storing {Count} rows in {Table} again: {Problem}")]
    private partial void LogRepeating(string table, int count, string problem);

    [LoggerMessage(LogLevel.Error, "A row that {Table} can never hold was left out")]
    private partial void LogRefused(Exception exception, string table);
}
