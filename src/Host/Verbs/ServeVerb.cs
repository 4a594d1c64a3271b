using System.CommandLine;

namespace Stoa.Host.Verbs;

/// <summary>Runs the host until it is told to stop. Further arguments are settings: <c>--Stoa:Role=api</c>.</summary>
internal static class ServeVerb
{
    public static Command Create()
    {
        var verb = new Command("serve", "Run the host. Settings may follow: --Stoa:Role=api");
        MakeDefault(verb);
        return verb;
    }

    /// <summary>Lets a command serve when no other verb is named.</summary>
    public static void MakeDefault(Command command)
    {
        command.TreatUnmatchedTokensAsErrors = false;
        command.SetAction((parsed, ct) => RunAsync([.. parsed.UnmatchedTokens], ct));
    }

    private static async Task<int> RunAsync(string[] settings, CancellationToken ct)
    {
        if (VerbSettings.Wrong(settings) is { } wrong)
        {
            await Console.Error.WriteLineAsync(wrong);
            return VerbSettings.UsageExitCode;
        }
        await using var app = await App.BuildAsync(settings);
        await App.PrepareAsync(app, ct);
        return await RunAsync(app, ct);
    }

    /// <summary>Until the host is told to stop, which may be before it is up.</summary>
    internal static async Task<int> RunAsync(WebApplication app, CancellationToken ct)
    {
        try
        {
            await app.StartAsync(ct);
        }
        catch (Exception thrown)
        {
            var wasTold = thrown is OperationCanceledException && app.Lifetime.ApplicationStopping.IsCancellationRequested;
            // What has begun ends before what it works on is taken away.
            await app.StopAsync(CancellationToken.None);
            if (wasTold)
            {
                return Environment.ExitCode;
            }
            throw;
        }
        await app.WaitForShutdownAsync(ct);
        // A part of the host that had to stop it said so here.
        return Environment.ExitCode;
    }
}
