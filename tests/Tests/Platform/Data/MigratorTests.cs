using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Stoa.Platform.Data;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Data;

public sealed class MigratorTests(TestCluster cluster) : IAsyncLifetime
{
    private static readonly Migration First = new(1, "0001_notes", "create table shop.notes (id integer primary key);");
    private static readonly Migration Second = new(
        2, "0002_text", "alter table shop.notes add text text; insert into shop.notes values (1, 'a;b');");

    private NpgsqlDataSource source = null!;
    private string address = "";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        address = await cluster.CreateEmptyDatabaseAsync();
        source = NpgsqlDataSource.Create(address);
    }

    public async ValueTask DisposeAsync()
    {
        await source.DisposeAsync();
        await cluster.DropDatabaseAsync(address);
    }

    [Fact]
    public async Task Files_are_applied_in_order_and_once()
    {
        Assert.Equal(["shop/0001_notes"], await MigrateAsync(First));
        Assert.Equal(["shop/0002_text"], await MigrateAsync(First, Second));
        Assert.Empty(await MigrateAsync(First, Second));

        await using var command = source.CreateCommand("select text from shop.notes");
        Assert.Equal("a;b", await command.ExecuteScalarAsync(Ct));
    }

    [Fact]
    public async Task Modules_are_applied_in_the_order_in_which_they_were_added()
    {
        var shop = new Migrations("shop", [First]);
        var stock = new Migrations("stock", [new(1, "0001_items", "create table stock.items (note integer references shop.notes);")]);

        var applied = await new Migrator(source, [shop, stock], NullLogger<Migrator>.Instance).MigrateAsync(Ct);

        Assert.Equal(["shop/0001_notes", "stock/0001_items"], applied);
    }

    [Theory]
    [InlineData("Stoa.Gateway.Migrations.0001_gateway.sql", "0001_gateway")]
    [InlineData("Stoa.Gateway.Migrations.0012_runs_2.sql", "0012_runs_2")]
    [InlineData("Stoa.Gateway.Migrations.001_gateway.sql", null)]
    [InlineData("Stoa.Gateway.Migrations.0001_.sql", null)]
    [InlineData("Stoa.Gateway.Migrations.0001_Gateway.sql", null)]
    [InlineData("Stoa.Gateway.Migrations.0001_gateway.sql.orig", null)]
    [InlineData("Stoa.Gateway.Seeds.0001_gateway.sql", null)]
    [InlineData(".Migrations.sql", null)]
    public void A_file_is_known_by_its_number_and_name(string resource, string? name) => Assert.Equal(name, Migrations.NameOf(resource));

    [Fact]
    public async Task Many_hosts_at_once_apply_each_file_once()
    {
        var runs = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => MigrateAsync(First, Second)));

        Assert.Equal(["shop/0001_notes", "shop/0002_text"], runs.SelectMany(run => run).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_file_that_changed_after_it_was_applied_is_refused_by_name()
    {
        await MigrateAsync(First);

        var error = await Assert.ThrowsAsync<DatabaseException>(() => MigrateAsync(First with { Sql = First.Sql + " " }, Second));

        Assert.StartsWith("shop/0001_notes was changed", error.Message, StringComparison.Ordinal);
        Assert.False(await ExistsAsync("select from information_schema.columns where column_name = 'text' and table_schema = 'shop'"));
    }

    [Fact]
    public async Task Line_ends_of_a_checkout_are_not_a_change()
    {
        var file = First with { Sql = "create table\nshop.notes\n(id integer);\n" };
        await MigrateAsync(file);

        Assert.Empty(await MigrateAsync(file with { Sql = file.Sql.ReplaceLineEndings("\r\n") }));
    }

    [Fact]
    public async Task A_database_that_is_newer_than_the_code_is_refused()
    {
        await MigrateAsync(First, Second);

        var error = await Assert.ThrowsAsync<DatabaseException>(() => MigrateAsync(First));

        Assert.Contains("newer", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gap_in_the_code_is_refused_before_anything_is_applied()
    {
        var error = await Assert.ThrowsAsync<DatabaseException>(() => MigrateAsync(First, Second with { Number = 3 }));

        Assert.Contains("should be number 2", error.Message, StringComparison.Ordinal);
        Assert.False(await ExistsAsync("select from information_schema.schemata where schema_name = 'shop'"));
    }

    [Fact]
    public async Task A_gap_in_the_database_is_refused()
    {
        await MigrateAsync(First, Second);
        await using (var command = source.CreateCommand("delete from platform.migrations where number = 1"))
        {
            await command.ExecuteNonQueryAsync(Ct);
        }

        var error = await Assert.ThrowsAsync<DatabaseException>(() => MigrateAsync(First, Second));

        Assert.Contains("later files are there", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_fails_leaves_nothing_and_is_named()
    {
        var broken = Second with { Sql = "create table shop.more (id integer); select nonsense;" };

        var error = await Assert.ThrowsAsync<DatabaseException>(() => MigrateAsync(First, broken));

        Assert.StartsWith("shop/0002_text failed", error.Message, StringComparison.Ordinal);
        Assert.False(await ExistsAsync("select from information_schema.tables where table_name = 'more'"));
        Assert.Equal(["shop/0002_text"], await MigrateAsync(First, Second));
    }

    private Task<IReadOnlyList<string>> MigrateAsync(params Migration[] files) =>
        new Migrator(source, [new("shop", files)], NullLogger<Migrator>.Instance).MigrateAsync(Ct);

    private async Task<bool> ExistsAsync(string query)
    {
        await using var command = source.CreateCommand($"select exists ({query})");
        return (bool)(await command.ExecuteScalarAsync(Ct))!;
    }
}
