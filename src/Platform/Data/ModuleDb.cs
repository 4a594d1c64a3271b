using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace Stoa.Platform.Data;

/// <summary>
/// The unit of work of one module over the schema of its name: snake_case names, enums as text, instants in UTC
/// (<see cref="SnakeCaseConvention"/>). The schema itself is the module's numbered SQL files.
/// </summary>
public abstract class ModuleDb(DbContextOptions options, string schema) : DbContext(options)
{
    private IAlongside? alongside;

    private bool IsAlone => alongside is not { IsEmpty: false };

    /// <summary>What is written with the next save, in its transaction; made by the first call.</summary>
    internal T Alongside<T>(Func<T> make)
        where T : class, IAlongside => (T)(alongside ??= make());

    public override int SaveChanges(bool acceptAllChangesOnSuccess) => !IsAlone
        ? throw new InvalidOperationException("Jobs are saved by SaveChangesAsync")
        : base.SaveChanges(acceptAllChangesOnSuccess);

    public override async Task<int> SaveChangesAsync(bool acceptAllChangesOnSuccess, CancellationToken cancellationToken = default)
    {
        if (IsAlone)
        {
            return await base.SaveChangesAsync(acceptAllChangesOnSuccess, cancellationToken);
        }
        if (Database.CurrentTransaction is not null || (!ChangeTracker.HasChanges() && alongside!.IsOneStatement))
        {
            return await SaveWithAsync(acceptAllChangesOnSuccess, cancellationToken);
        }
        await using var transaction = await Database.BeginTransactionAsync(cancellationToken);
        // Entities count as saved only when the commit has succeeded.
        var saved = await SaveWithAsync(acceptAllChangesOnSuccess: false, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        if (acceptAllChangesOnSuccess)
        {
            ChangeTracker.AcceptAllChanges();
        }
        return saved;
    }

    // Pooled contexts come back: nothing may be left in them.
    public override void Dispose()
    {
        alongside = null;
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    public override async ValueTask DisposeAsync()
    {
        alongside = null;
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasDefaultSchema(schema);

    private async Task<int> SaveWithAsync(bool acceptAllChangesOnSuccess, CancellationToken ct)
    {
        await Database.OpenConnectionAsync(ct);
        try
        {
            var saved = await base.SaveChangesAsync(acceptAllChangesOnSuccess, ct);
            // Without a transaction of the caller's there is one statement alone, or one was begun for all of it.
            await alongside!.WriteAsync((NpgsqlConnection)Database.GetDbConnection(), ct);
            if (Database.CurrentTransaction is null)
            {
                alongside.Committed();
            }
            return saved;
        }
        finally
        {
            await Database.CloseConnectionAsync();
        }
    }

    /// <summary>Tells the part when the transaction that it was written in ends, whoever began it.</summary>
    internal sealed class Ends : DbTransactionInterceptor
    {
        public static readonly Ends Instance = new();

        public override void TransactionCommitted(System.Data.Common.DbTransaction transaction, TransactionEndEventData eventData) =>
            (eventData.Context as ModuleDb)?.alongside?.Committed();

        public override Task TransactionCommittedAsync(
            System.Data.Common.DbTransaction transaction, TransactionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            TransactionCommitted(transaction, eventData);
            return Task.CompletedTask;
        }
    }
}

/// <summary>Rows that are no entities of a module and yet belong to its unit of work.</summary>
internal interface IAlongside
{
    bool IsEmpty { get; }

    /// <summary>Whether it is written all or not at all without a transaction too.</summary>
    bool IsOneStatement { get; }

    Task WriteAsync(NpgsqlConnection connection, CancellationToken ct);

    /// <summary>What was written is there for others now.</summary>
    void Committed();
}
