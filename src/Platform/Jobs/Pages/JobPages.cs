using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs.Calendars;
using Stoa.Platform.Pages;

namespace Stoa.Platform.Jobs.Pages;

/// <summary>What the buttons of the pages of jobs do: act, and lead back.</summary>
internal static class JobPages
{
    public const string Path = "/console/jobs";

    private const int LargestForm = 256 << 10;

    public static void MapJobPages(this IEndpointRouteBuilder routes)
    {
        var acts = routes.MapForms(Path)
            .WithMetadata(new RequestSizeLimitAttribute(LargestForm))
            .ExcludeFromDescription();
        acts.MapPost("/{id:guid}/cancel", CancelAsync);
        acts.MapPost("/{id:guid}/retry", RetryAsync);
        acts.MapPost("/{id:guid}/replay", ReplayAsync);
        acts.MapPost("/{id:guid}/discard", DiscardAsync);
        acts.MapPost("/kinds/{kind}/pause", (string kind, HttpContext context, JobActs jobs) =>
            HostAsync(context, actor => jobs.PauseAsync(kind, actor, context.RequestAborted)));
        acts.MapPost("/kinds/{kind}/resume", (string kind, HttpContext context, JobActs jobs) =>
            HostAsync(context, actor => jobs.ResumeAsync(kind, actor, context.RequestAborted)));
        acts.MapPost("/schedules/{name}/pause", (string name, HttpContext context, ScheduleActs schedules) =>
            HostAsync(context, actor => schedules.PauseAsync(name, actor, context.RequestAborted)));
        acts.MapPost("/schedules/{name}/resume", (string name, HttpContext context, ScheduleActs schedules) =>
            HostAsync(context, actor => schedules.ResumeAsync(name, actor, context.RequestAborted)));
        acts.MapPost("/schedules/{name}/run", (string name, HttpContext context, ScheduleActs schedules) =>
            HostAsync(context, actor => schedules.RunAsync(name, actor, context.RequestAborted)));
    }

    /// <summary>What the caller may see; null when nobody is signed in.</summary>
    internal static JobScope? ScopeOf(HttpContext context) =>
        context.SignedIn() is { HasOrganization: true } caller ? JobScope.Of(caller) : null;

    internal static async Task<IResult> CancelAsync(Guid id, HttpContext context, JobActs jobs)
    {
        var (scope, actor) = SignedIn(context);
        await jobs.CancelAsync(id, scope, actor, context.RequestAborted);
        return BackTo(id);
    }

    internal static async Task<IResult> RetryAsync(Guid id, HttpContext context, JobActs jobs)
    {
        var (scope, actor) = Admin(context);
        return BackTo(await jobs.RetryAsync(id, scope, actor, context.RequestAborted));
    }

    internal static async Task<IResult> ReplayAsync(
        Guid id, HttpContext context, JobActs jobs, [FromForm(Name = "arguments")] string? arguments = null)
    {
        var (scope, actor) = Admin(context);
        return BackTo(await jobs.ReplayAsync(id, scope, Parse(arguments), actor, context.RequestAborted));
    }

    internal static async Task<IResult> DiscardAsync(Guid id, HttpContext context, JobActs jobs)
    {
        var (scope, actor) = Admin(context);
        await jobs.DiscardAsync(id, scope, actor, context.RequestAborted);
        return TypedResults.LocalRedirect(Path);
    }

    private static async Task<IResult> HostAsync(HttpContext context, Func<string, Task> act)
    {
        var (scope, actor) = SignedIn(context);
        if (!scope.IsHost)
        {
            throw Failure.Forbidden("Only admins of the organization 'default' may do this");
        }
        await act(actor);
        return TypedResults.LocalRedirect(Path);
    }

    private static (JobScope Scope, string Actor) SignedIn(HttpContext context) => context.SignedIn() is { } caller
        ? (JobScope.Of(caller), caller.Actor)
        : throw Failure.Unauthenticated("Sign in first");

    private static (JobScope Scope, string Actor) Admin(HttpContext context) =>
        SignedIn(context) is { Scope.IsAdmin: true } admin ? admin : throw Failure.Forbidden("This is for admins");

    private static JsonElement? Parse(string? arguments)
    {
        if (string.IsNullOrWhiteSpace(arguments))
        {
            return null;
        }
        try
        {
            return JsonElement.Parse(arguments);
        }
        catch (JsonException)
        {
            throw Failure.Invalid("The arguments are not valid JSON", "arguments");
        }
    }

    internal static int? Number(string? text) => string.IsNullOrEmpty(text) ? null
        : int.TryParse(text, CultureInfo.InvariantCulture, out var number) ? number
        : throw Failure.Invalid("The number of attempts is no number", "min_attempts");

    internal static Guid? Id(string? text) => string.IsNullOrEmpty(text) ? null
        : Guid.TryParse(text, out var id) ? id
        : throw Failure.Invalid("There is no such page", "after");

    private static RedirectHttpResult BackTo(Guid id) => TypedResults.LocalRedirect($"{Path}/{id}");
}
