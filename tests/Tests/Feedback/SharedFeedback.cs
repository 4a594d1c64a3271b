using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Stoa.Feedback;
using Stoa.Feedback.Trees;
using Stoa.Platform;
using Stoa.Tests.Support;

namespace Stoa.Tests.Feedback;

/// <summary>One <see cref="FeedbackSite"/> for all tests of a class, which it gives to each as a start would leave it.</summary>
public sealed class SharedFeedback : IAsyncLifetime
{
    private FeedbackSite site = null!;

    public async ValueTask InitializeAsync() => site = await FeedbackSite.StartAsync();

    /// <param name="change">Of the rules of trees, for this test alone: the module looks them up whenever it needs them.</param>
    internal async Task<FeedbackSite> FreshAsync(Action<TreeManagerOptions>? change = null)
    {
        await FeedbackTables.EmptyAsync(site.Host);
        var services = site.Host.Services;
        var rules = Settings.Read<FeedbackOptions>(services.GetRequiredService<IConfiguration>(), FeedbackOptions.Section).TreeManager;
        change?.Invoke(rules);
        services.GetRequiredService<IOptions<FeedbackOptions>>().Value.TreeManager = rules;
        return site;
    }

    public ValueTask DisposeAsync() => site.DisposeAsync();
}

/// <summary>One <see cref="ReadingSite"/> for all tests of a class, which it gives to each as a start would leave it.</summary>
public sealed class SharedReading : IAsyncLifetime
{
    private ReadingSite site = null!;

    public async ValueTask InitializeAsync() => site = await ReadingSite.StartAsync();

    internal async Task<ReadingSite> FreshAsync()
    {
        await FeedbackTables.EmptyAsync(site.Host);
        return site;
    }

    public ValueTask DisposeAsync() => site.DisposeAsync();
}

internal static class FeedbackTables
{
    /// <summary>When what is under way has come to its end. What the start of a host writes stays.</summary>
    public static async Task EmptyAsync(HostUnderTest host)
    {
        await host.RunJobsAsync();
        await using var command = host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand("""
            do $$ begin
              -- A job of a schedule that just comes in between gives way.
              perform set_config('deadlock_timeout', '1min', true);
              execute (select 'truncate ' || string_agg(oid::regclass::text, ', ') from pg_class
                where relnamespace = 'feedback'::regnamespace and relkind = 'r' and relname not in ('api_client', 'tidied'));
            end $$;
            update feedback.tidied set until = '-infinity';
            delete from feedback.api_client where not trusted;
            """);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
