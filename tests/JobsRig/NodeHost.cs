using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Stoa.Platform;
using Stoa.Platform.Data;
using Stoa.Platform.Jobs;

namespace Stoa.JobsRig;

/// <summary>The product's database and jobs parts in a host of their own: a node without routes, which starts fast.</summary>
internal sealed class NodeHost(IHost host) : IAsyncDisposable
{
    public IServiceProvider Services => host.Services;

    public static async Task<NodeHost> StartAsync(string database, string[] settings, Action<IServiceCollection> add, bool runs = true)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new());
        builder.Configuration.AddInMemoryCollection(
            settings.Select(setting => setting.Split('=', 2)).Select(pair => KeyValuePair.Create(pair[0], (string?)pair[1]))
                .Append(new("ConnectionStrings:Stoa", database)).Append(new("Jobs:DrainSeconds", "2")));
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true).SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddSettings<StoaOptions>(StoaOptions.Section);
        builder.Services.AddDatabase();
        builder.Services.AddMigrations("platform", typeof(PlatformModule).Assembly);
        builder.Services.AddJobs(runs);
        add(builder.Services);
        var host = builder.Build();
        await host.Services.GetRequiredService<Database>().OpenAsync(CancellationToken.None);
        await host.StartAsync();
        await host.Services.GetRequiredService<DatabaseReadiness>().WhenReady(CancellationToken.None);
        return new(host);
    }

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        if (host is IAsyncDisposable disposable)
        {
            await disposable.DisposeAsync();
        }
    }
}
