using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Stoa.Platform.Data;

public static class DatabaseServices
{
    /// <summary>
    /// The database, its migration at start and the change feed. Whoever starts the host opens <see cref="Database"/> first.
    /// </summary>
    public static IServiceCollection AddDatabase(this IServiceCollection services)
    {
        services.AddSingleton<Database>();
        services.AddSingleton(provider => provider.GetRequiredService<Database>().Source);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<DatabaseReadiness>();
        services.AddReadiness("database", "not reached or not migrated yet",
            provider => provider.GetRequiredService<DatabaseReadiness>().WhenReady(CancellationToken.None));
        services.AddSingleton(provider => new Migrator(
            provider.GetRequiredService<NpgsqlDataSource>(), provider.GetServices<Migrations>(),
            provider.GetRequiredService<ILogger<Migrator>>()));
        services.AddHostedService<MigrateOnStart>();
        services.AddSingleton<ChangeFeed>();
        services.AddHostedService(provider => provider.GetRequiredService<ChangeFeed>());
        return services;
    }

    /// <summary>The module's SQL files (<c>Migrations/NNNN_name.sql</c>), applied in the order in which modules are added.</summary>
    public static IServiceCollection AddMigrations(this IServiceCollection services, string schema, Assembly assembly) =>
        services.AddSingleton(Migrations.Of(schema, assembly));

    /// <summary>
    /// The module's unit of work, pooled: scoped where a request has one, an <see cref="IDbContextFactory{TContext}"/> for singletons.
    /// Its constructor takes <c>DbContextOptions&lt;TDb&gt;</c> alone.
    /// </summary>
    public static IServiceCollection AddModuleDb<TDb>(this IServiceCollection services)
        where TDb : ModuleDb
    {
        services.AddPooledDbContextFactory<TDb>((provider, options) =>
        {
            options.UseNpgsql(provider.GetRequiredService<NpgsqlDataSource>());
            options.AddInterceptors(ModuleDb.Ends.Instance);
            ((IDbContextOptionsBuilderInfrastructure)options).AddOrUpdateExtension(new SnakeCaseConvention.Extension());
        });
        services.AddScoped(provider => provider.GetRequiredService<IDbContextFactory<TDb>>().CreateDbContext());
        return services;
    }
}
