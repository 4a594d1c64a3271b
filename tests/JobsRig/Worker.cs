using Microsoft.Extensions.DependencyInjection;
using Stoa.Host;

namespace Stoa.JobsRig;

/// <summary>One node of the cluster: the product's own host in the role of a worker, with the rig's jobs and a clock that cannot be trusted.</summary>
internal static class Worker
{
    public static async Task RunAsync(string database, Mutant mutant, string[] settings)
    {
        var data = Directory.CreateTempSubdirectory("stoa-rig-").FullName;
        var own = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            ["urls"] = "http://127.0.0.1:0",
            ["Stoa:InternalUrls"] = "http://127.0.0.1:0",
            ["Stoa:DataDirectory"] = data,
            ["Stoa:Role"] = "worker",
            ["ConnectionStrings:Stoa"] = database,
            ["Logging:LogLevel:Default"] = "Warning",
            ["Jobs:DrainSeconds"] = "2",
        };
        foreach (var setting in settings)
        {
            own[setting[..setting.IndexOf('=', StringComparison.Ordinal)]] = setting[(setting.IndexOf('=', StringComparison.Ordinal) + 1)..];
        }
        try
        {
            var app = await App.BuildAsync(["--environment", "Development"], own, builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(new JumpingClock());
                builder.Services.AddRigJobs(mutant);
                builder.Services.AddHostedService<Producer>();
            });
            await App.PrepareAsync(app, CancellationToken.None);
            // Nobody's orphan: when whoever started us is gone, so are we.
            _ = Task.Run(async () =>
            {
                await Console.In.ReadToEndAsync();
                app.Lifetime.StopApplication();
            });
            await app.RunAsync();
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    /// <summary>Its calendar jumps by up to five seconds and, at times, by hours; its intervals are true.</summary>
    private sealed class JumpingClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow()
        {
            var epoch = System.GetUtcNow().ToUnixTimeSeconds() / 3;
            var random = new Random(HashCode.Combine(epoch, Environment.ProcessId));
            var skew = TimeSpan.FromSeconds((random.NextDouble() * 10) - 5);
            return System.GetUtcNow() + (random.Next(20) == 0 ? TimeSpan.FromHours(random.Next(-3, 4)) : skew);
        }
    }
}
