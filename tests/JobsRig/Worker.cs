using Microsoft.Extensions.DependencyInjection;

namespace Stoa.JobsRig;

/// <summary>One node of the cluster: the product's engine with the rig's jobs and a clock that cannot be trusted.</summary>
internal static class Worker
{
    public static async Task RunAsync(string database, Mutant mutant, string[] settings)
    {
        await using var node = await NodeHost.StartAsync(database, settings, services =>
        {
            services.AddSingleton<TimeProvider>(new JumpingClock());
            services.AddRigJobs(mutant);
            services.AddHostedService<Producer>();
        });
        // Nobody's orphan: when whoever started us is gone, so are we.
        await Console.In.ReadToEndAsync();
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
