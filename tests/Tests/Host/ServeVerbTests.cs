using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Stoa.Host;
using Stoa.Host.Verbs;
using Stoa.Tests.Support;

namespace Stoa.Tests.Host;

public sealed class ServeVerbTests(TestCluster cluster)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Whoever_stops_a_host_that_is_still_starting_sees_it_end_and_no_fault()
    {
        var database = await cluster.CreateDatabaseAsync();
        await using (var app = await App.BuildAsync(
            [], new Dictionary<string, string?>
            {
                ["urls"] = "http://127.0.0.1:0",
                ["Stoa:InternalUrls"] = "http://127.0.0.1:0",
                ["Stoa:DataDirectory"] = await cluster.NewFolderAsync(),
                ["ConnectionStrings:Stoa"] = database,
                ["Logging:LogLevel:Default"] = "None",
            },
            builder => builder.Services.AddHostedService<Impatient>()))
        {
            await App.PrepareAsync(app, Ct);

            Assert.Equal(0, await ServeVerb.RunAsync(app, Ct));
            Assert.True(app.Lifetime.ApplicationStopped.IsCancellationRequested);
        }
        await cluster.DropDatabaseAsync(database);
    }

    /// <summary>What Ctrl-C does, while the parts of the host are started.</summary>
    private sealed class Impatient(IHostApplicationLifetime lifetime) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            lifetime.StopApplication();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
