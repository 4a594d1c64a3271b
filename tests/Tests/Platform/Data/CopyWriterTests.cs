using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using NpgsqlTypes;
using Stoa.Platform.Data;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Data;

public sealed class CopyWriterTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly string table = $"rows_{Guid.CreateVersion7():n}";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await database.ExecuteAsync($"create table {table} (id integer primary key, text text)");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Rows_of_many_callers_are_all_stored_when_the_writer_stops()
    {
        using var writer = new CopyWriter<Row>(Table(), TimeProvider.System, capacity: 64, batchSize: 100);
        await writer.StartAsync(Ct);

        await Task.WhenAll(Enumerable.Range(0, 10).Select(caller => Task.Run(async () =>
        {
            for (var number = 0; number < 500; number++)
            {
                await writer.WriteAsync(new((caller * 500) + number, "text"), Ct);
            }
        })));
        await writer.StopAsync(Ct);

        Assert.Equal(5000, await database.ScalarAsync<long>($"select count(*) from {table}"));
    }

    [Fact]
    public async Task Rows_are_stored_without_waiting_for_a_full_batch()
    {
        using var writer = new CopyWriter<Row>(Table(), TimeProvider.System);
        await writer.StartAsync(Ct);

        await writer.WriteAsync(new(1, "alone"), Ct);

        while (await database.ScalarAsync<long>($"select count(*) from {table}") == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Ct);
        }
        await writer.StopAsync(Ct);
    }

    [Fact]
    public async Task A_full_channel_makes_the_caller_wait_and_loses_nothing()
    {
        await using var held = await database.Source.OpenConnectionAsync(Ct);
        await using var transaction = await held.BeginTransactionAsync(Ct);
        await using (var block = new NpgsqlCommand($"lock table {table}", held))
        {
            await block.ExecuteNonQueryAsync(Ct);
        }
        using var writer = new CopyWriter<Row>(Table(), TimeProvider.System, capacity: 4, batchSize: 2);
        await writer.StartAsync(Ct);

        var accepted = 0;
        Task waiting;
        while (await IsTaken(waiting = writer.WriteAsync(new(accepted, "text"), Ct).AsTask()))
        {
            accepted++;
        }
        Assert.InRange(accepted, 4, 6);

        await transaction.RollbackAsync(Ct);
        await waiting;
        await writer.StopAsync(Ct);
        Assert.Equal(accepted + 1, await database.ScalarAsync<long>($"select count(*) from {table}"));

        // The reader may still be taking its first batch; once it waits for the table, a blocked write stays blocked.
        async Task<bool> IsTaken(Task write)
        {
            while (!write.IsCompleted)
            {
                if (await database.ScalarAsync<bool>(
                    $"select exists (select from pg_locks where not granted and relation = '{table}'::regclass)"))
                {
                    return write.IsCompleted;
                }
            }
            return true;
        }
    }

    [Fact]
    public async Task A_batch_whose_connection_is_cut_is_stored_once()
    {
        var cuts = 0;
        var copy = Table(async row =>
        {
            if (row.Id == 150 && Interlocked.Increment(ref cuts) <= 2)
            {
                await database.ExecuteAsync("""
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where query like 'copy % from stdin%' and datname = current_database() and pid <> pg_backend_pid()
                    """);
            }
        });

        await copy.StoreAsync(Rows(300), Ct);

        Assert.Equal(3, cuts);
        Assert.Equal(300, await database.ScalarAsync<long>($"select count(*) from {table}"));
    }

    [Fact]
    public async Task Rows_that_are_there_already_are_not_stored_twice()
    {
        await Table().StoreAsync(Rows(100), Ct);

        await Table().StoreAsync(Rows(200), Ct);

        Assert.Equal(200, await database.ScalarAsync<long>($"select count(*) from {table}"));
    }

    [Fact]
    public async Task A_row_that_can_never_be_stored_does_not_take_others_with_it()
    {
        var rows = Rows(100);
        rows[37] = new(37, "no \0 in text");

        await Table().StoreAsync(rows, Ct);

        Assert.Equal(99, await database.ScalarAsync<long>($"select count(*) from {table}"));
    }

    private static List<Row> Rows(int count) => [.. Enumerable.Range(0, count).Select(id => new Row(id, "text"))];

    private CopyTable<Row> Table(Func<Row, Task>? before = null) => new(
        database.Source,
        table,
        ["id", "text"],
        async (import, row, ct) =>
        {
            await (before?.Invoke(row) ?? Task.CompletedTask);
            await import.WriteAsync(row.Id, NpgsqlDbType.Integer, ct);
            await import.WriteAsync(row.Text, NpgsqlDbType.Text, ct);
        },
        TimeProvider.System,
        NullLogger.Instance);

    private sealed record Row(int Id, string Text);
}
