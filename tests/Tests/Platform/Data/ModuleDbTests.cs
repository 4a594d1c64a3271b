using System.Text.Json.Serialization;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Data;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Data;

public sealed partial class ModuleDbTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly ServiceProvider services = new ServiceCollection()
        .AddSingleton(database.Source)
        .AddModuleDb<ShopDb>()
        .BuildServiceProvider();

    private enum OrderState
    {
        Open,
        PaidInFull,
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await database.ExecuteAsync("""
        create schema if not exists shop;
        drop table if exists shop.shop_orders;
        create table shop.shop_orders (
          id integer generated always as identity primary key,
          order_state text not null,
          previous_state text,
          placed_at timestamptz not null,
          basket jsonb not null,
          address_street_name text not null
        );
        """);

    public async ValueTask DisposeAsync() => await services.DisposeAsync();

    [Fact]
    public async Task An_entity_is_stored_in_snake_case_with_text_enums_utc_instants_and_documents()
    {
        await using (var scope = services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<ShopDb>();
            db.Add(new Order
            {
                OrderState = OrderState.PaidInFull,
                PlacedAt = new(2026, 3, 1, 1, 0, 0, TimeSpan.FromHours(2)),
                Basket = new(["pen", "ink"]),
                Address = new() { StreetName = "Stoa" },
            });
            await db.SaveChangesAsync(Ct);
        }

        Assert.Equal(
            "paid_in_full|2026-02-28 23:00:00|ink|Stoa",
            await database.ScalarAsync<string>("""
                select concat_ws(
                  '|', order_state, previous_state, placed_at at time zone 'UTC', basket #>> '{item_names,1}', address_street_name)
                from shop.shop_orders
                """));
        await using var db2 = await services.GetRequiredService<IDbContextFactory<ShopDb>>().CreateDbContextAsync(Ct);
        var read = await db2.ShopOrders.SingleAsync(order => order.OrderState == OrderState.PaidInFull, Ct);
        Assert.Equal(new DateTimeOffset(2026, 2, 28, 23, 0, 0, TimeSpan.Zero), read.PlacedAt);
        Assert.Equal(["pen", "ink"], read.Basket.ItemNames);
        Assert.Null(read.PreviousState);
    }

    [Fact]
    public async Task A_changed_document_is_saved_and_an_unchanged_one_is_not()
    {
        await using var db = await services.GetRequiredService<IDbContextFactory<ShopDb>>().CreateDbContextAsync(Ct);
        var order = new Order { Basket = new(["pen"]) };
        db.Add(order);
        await db.SaveChangesAsync(Ct);

        Assert.False(db.ChangeTracker.HasChanges());
        order.Basket.ItemNames.Add("ink");
        Assert.Equal(1, await db.SaveChangesAsync(Ct));

        Assert.Equal("ink", await database.ScalarAsync<string>("select basket #>> '{item_names,1}' from shop.shop_orders"));
    }

    [Fact]
    public async Task Rows_of_a_statement_map_to_a_record_by_column_name()
    {
        await using var db = await services.GetRequiredService<IDbContextFactory<ShopDb>>().CreateDbContextAsync(Ct);

        var standing = await db.Database.SqlQuery<Standing>($"select 7 as user_id, 'open' as order_state, {3} as solved").SingleAsync(Ct);

        Assert.Equal(new Standing(7, OrderState.Open, 3), standing);
    }

    [Fact]
    public async Task A_notification_goes_with_the_unit_of_work()
    {
        await using var db = await services.GetRequiredService<IDbContextFactory<ShopDb>>().CreateDbContextAsync(Ct);
        await using var listener = await database.Source.OpenConnectionAsync(Ct);
        await using (var listen = new Npgsql.NpgsqlCommand("listen shop_changed", listener))
        {
            await listen.ExecuteNonQueryAsync(Ct);
        }
        var heard = "";
        listener.Notification += (_, notification) => heard = notification.Payload;

        await using (var transaction = await db.Database.BeginTransactionAsync(Ct))
        {
            await ChangeFeed.NotifyAsync(db, "shop_changed", "order", Ct);
            await transaction.CommitAsync(Ct);
        }
        await listener.WaitAsync(Ct);

        Assert.Equal("order", heard);
    }

    private sealed record Standing(int UserId, OrderState OrderState, int Solved);

    private sealed record Basket(List<string> ItemNames);

    private sealed class Address
    {
        public string StreetName { get; set; } = "";
    }

    private sealed class Order
    {
        public int Id { get; set; }

        public OrderState OrderState { get; set; }

        public OrderState? PreviousState { get; set; }

        public DateTimeOffset PlacedAt { get; set; }

        public required Basket Basket { get; set; }

        public Address Address { get; set; } = new();
    }

    private sealed class ShopDb(DbContextOptions<ShopDb> options) : ModuleDb(options, schema: "shop")
    {
        public DbSet<Order> ShopOrders => Set<Order>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            base.OnModelCreating(modelBuilder);
            modelBuilder.Entity<Order>().Property(order => order.Basket).IsDocument(ShopJson.Default.Basket);
            modelBuilder.Entity<Order>().ComplexProperty(order => order.Address);
        }
    }

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
    [JsonSerializable(typeof(Basket))]
    private sealed partial class ShopJson : JsonSerializerContext;
}
