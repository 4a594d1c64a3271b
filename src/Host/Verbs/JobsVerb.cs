using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Stoa.Platform.Data;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Host.Verbs;

/// <summary><c>stoa jobs …</c>: what an operator does with jobs and schedules, over all organizations.</summary>
internal static class JobsVerb
{
    private const string Actor = "cli";

    private static readonly Argument<Guid> Job = new("job") { Description = "Id of the job" };
    private static readonly Argument<string> Kind = new("kind") { Description = "Kind of the jobs" };

    public static Command Create(WithServices withServices) =>
        new("jobs", "Jobs: list, show, retry, cancel, replay, pause, resume, schedules")
        {
            ListCommand(withServices),
            ShowCommand(withServices),
            ActCommand(withServices, "retry", "Run a job now, or replay a finished one", Job, async (acts, job, ct) =>
                $"{await acts.RetryAsync(job, null, Actor, ct)} runs"),
            ActCommand(withServices, "cancel", "Cancel a job; a running one ends within seconds", Job, async (acts, job, ct) =>
                $"{job} {(await acts.CancelAsync(job, null, Actor, ct) ? "is cancelled" : "was finished before")}"),
            ReplayCommand(withServices),
            ActCommand(withServices, "discard", "Discard a dead job for good", Job, async (acts, job, ct) =>
            {
                await acts.DiscardAsync(job, null, Actor, ct);
                return $"{job} is discarded";
            }),
            ActCommand(withServices, "pause", "Start no more jobs of a kind", Kind, async (acts, kind, ct) =>
            {
                await acts.PauseAsync(kind, Actor, ct);
                return $"{kind} is paused";
            }),
            ActCommand(withServices, "resume", "Start jobs of a kind again", Kind, async (acts, kind, ct) =>
            {
                await acts.ResumeAsync(kind, Actor, ct);
                return $"{kind} is resumed";
            }),
            KindsCommand(withServices),
            SchedulesVerb.Create(withServices),
        };

    internal static async Task<int> RunAsync(
        ParseResult parsed, WithServices withServices, Func<IServiceProvider, Task> work, CancellationToken ct) =>
        await withServices(
            async (services, _) =>
            {
                try
                {
                    await work(services);
                    return 0;
                }
                catch (Failure failure)
                {
                    await parsed.InvocationConfiguration.Error.WriteLineAsync(failure.Message);
                    return 1;
                }
            },
            ct);

    internal static string Date(DateTimeOffset? at) =>
        at?.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "-";

    private static Command ListCommand(WithServices withServices)
    {
        var kind = new Option<string?>("--kind") { Description = "Only jobs of this kind" };
        var state = new Option<JobState[]>("--state") { Description = "Only jobs in these states", AllowMultipleArgumentsPerToken = true };
        var text = new Option<string?>("--text") { Description = "Words in the error or the arguments" };
        var attempts = new Option<int?>("--min-attempts") { Description = "At least so many attempts" };
        var after = new Option<Guid?>("--after") { Description = "Go on after the page before; it says from where" };
        var limit = new Option<int>("--limit") { Description = "At most so many", DefaultValueFactory = _ => 50 };
        var command = new Command("list", "List jobs, newest first") { kind, state, text, attempts, after, limit };
        command.SetAction((parsed, ct) => RunAsync(parsed, withServices, async services =>
        {
            var filter = new JobFilter
            {
                Kind = parsed.GetValue(kind),
                States = parsed.GetValue(state) ?? [],
                Text = parsed.GetValue(text),
                MinAttempts = parsed.GetValue(attempts),
                BeforeId = parsed.GetValue(after),
                Limit = Math.Clamp(parsed.GetValue(limit), 1, 500),
            };
            var page = await services.GetRequiredService<JobStore>().ListAsync(filter, ct);
            foreach (var job in page.Items)
            {
                await parsed.InvocationConfiguration.Output.WriteLineAsync(Line(job));
            }
            if (page.Next is { } next)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"Older ones: --after {next}");
            }
        }, ct));
        return command;
    }

    private static Command ShowCommand(WithServices withServices)
    {
        var command = new Command("show", "Show a job with its arguments and history") { Job };
        command.SetAction((parsed, ct) => RunAsync(parsed, withServices, async services =>
        {
            var id = parsed.GetRequiredValue(Job);
            var job = await services.GetRequiredService<JobStore>().FindAsync(id, null, ct) ?? throw Failure.NotFound($"Job '{id}'");
            var output = parsed.InvocationConfiguration.Output;
            await output.WriteLineAsync(Line(job));
            await output.WriteLineAsync(
                $"due {Date(job.RunAt)}, started {Date(job.StartedAt)}, finished {Date(job.FinishedAt)}, by {job.Owner.CreatedBy}");
            await output.WriteLineAsync(
                $"arguments {(services.GetRequiredService<JobStore>().IsSensitive(job.Kind) ? "are kept by the kind" : job.Args.GetRawText())}");
            foreach (var entry in job.History.EnumerateArray())
            {
                await output.WriteLineAsync($"  {entry.GetRawText()}");
            }
        }, ct));
        return command;
    }

    private static Command ReplayCommand(WithServices withServices)
    {
        var job = new Argument<Guid?>("job") { Description = "Id of a finished job", Arity = ArgumentArity.ZeroOrOne };
        var arguments = new Option<string?>("--arguments") { Description = "JSON instead of the job's own arguments" };
        var kind = new Option<string?>("--kind") { Description = "All dead jobs of a kind" };
        var fingerprint = new Option<string?>("--fingerprint") { Description = "All dead jobs of one cause" };
        var limit = new Option<int>("--limit") { Description = "At most so many", DefaultValueFactory = _ => 100 };
        var command = new Command("replay", "Add a finished job anew, or all dead ones of a kind or cause")
        {
            job, arguments, kind, fingerprint, limit,
        };
        command.SetAction((parsed, ct) => RunAsync(parsed, withServices, async services =>
        {
            var acts = services.GetRequiredService<JobActs>();
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(job) is { } id)
            {
                await output.WriteLineAsync($"{await acts.ReplayAsync(id, null, Json(parsed.GetValue(arguments)), Actor, ct)} is added");
                return;
            }
            var filter = new JobFilter
            {
                Kind = parsed.GetValue(kind), Fingerprint = parsed.GetValue(fingerprint), States = [JobState.Dead],
                Limit = Math.Clamp(parsed.GetValue(limit), 1, 500),
            };
            if (filter is { Kind: null, Fingerprint: null })
            {
                throw Failure.Invalid("Name a job, a --kind or a --fingerprint");
            }
            await output.WriteLineAsync($"{await acts.ReplayManyAsync(filter, Actor, ct)} are added");
        }, ct));
        return command;
    }

    private static Command KindsCommand(WithServices withServices)
    {
        var command = new Command("kinds", "Show how each kind fares");
        command.SetAction((parsed, ct) => RunAsync(parsed, withServices, async services =>
        {
            foreach (var kind in await services.GetRequiredService<JobStore>().OverviewAsync(ct))
            {
                var state = kind.PausedAt is { } at ? $"paused {Date(at)} by {kind.PausedBy}" : kind.IsLate ? "late" : "open";
                await parsed.InvocationConfiguration.Output.WriteLineAsync(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{kind.Kind}  {kind.Available} queued, {kind.Running} running, {kind.Waiting + kind.Parked} held back, "
                    + $"oldest {kind.OldestAge.TotalSeconds:N0} s, last success {Date(kind.SucceededAt)}, {state}"));
            }
        }, ct));
        return command;
    }

    private static Command ActCommand<T>(
        WithServices withServices, string name, string description,
        Argument<T> argument, Func<JobActs, T, CancellationToken, Task<string>> act)
    {
        var command = new Command(name, description) { argument };
        command.SetAction((parsed, ct) => RunAsync(parsed, withServices, async services =>
        {
            var done = await act(services.GetRequiredService<JobActs>(), parsed.GetRequiredValue(argument), ct);
            await parsed.InvocationConfiguration.Output.WriteLineAsync(done);
        }, ct));
        return command;
    }

    private static JsonElement? Json(string? text)
    {
        try
        {
            return text is null ? null : JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            throw Failure.Invalid("The arguments are not valid JSON");
        }
    }

    private static string Line(JobRow job) => string.Create(
        CultureInfo.InvariantCulture,
        $"{job.Id}  {job.Kind}  {EnumNames<JobState>.Write(job.State)}, {job.Attempts} of {job.MaxAttempts} attempts, "
        + $"added {Date(job.CreatedAt)}{(job.Error is null ? "" : $": {job.Error.ReplaceLineEndings(" ")}")}");
}
