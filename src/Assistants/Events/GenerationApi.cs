using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Auth;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Wire;
using Stoa.Platform.Http;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Events;

/// <summary>
/// The background's <c>events_generation</c>. Layout A gives what is to be said, a member of <c>data</c> for each user; layout B gives a
/// page, and the users are selected here. Either way each user's event is a job of its own, so one that fails stops no other.
/// </summary>
internal static class GenerationApi
{
    public static void MapEventsGeneration(this IEndpointRouteBuilder background) => background.MapPost("/events_generation", GenerateAsync)
        .RequireBackgroundCaller().WithMetadata(WireTexts.Background)
        .WithTags("Background").WithSummary("Write mails and notifications to users");

    internal static async Task<Results<Ok<SuccessText>, Ok<SchedulerApi.UserIds>>> GenerateAsync(
        Body<GenerationFields> body, GivenEvents given, Candidates candidates,
        EventLaunches launches, IOptions<EventsOptions> options, CancellationToken ct)
    {
        var (type, data, limit, offset) = body.Value;
        if (!GivenEvents.Types.Contains(type))
        {
            throw new Failure(
                FailureKind.NotFound, "not_found",
                $"Error generating events : Unknown event type {GivenText.Shortened(type, Fields.ShortText)}");
        }
        if (data is { } items)
        {
            await given.LaunchAsync(type, items, ct);
            return TypedResults.Ok(new SuccessText("Process started"));
        }
        return type == GivenEvents.TodoEmails
            ? await SchedulerApi.LaunchTodoEmailsAsync(limit, offset, candidates, launches, options.Value, ct)
            : throw Failure.Invalid(WireTexts.Background.Missing("data"), "data");
    }

    internal sealed record GenerationFields(string Type, JsonElement? Data, int Limit, int Offset) : IArguments<GenerationFields>
    {
        // The lists of fifty users.
        private const int MostData = 16 << 20;

        public static GenerationFields Read(Fields fields)
        {
            var type = fields.Text("event_type");
            var data = fields.OptionalJson("data", MostData);
            if (data is { } items
                && (items.ValueKind != JsonValueKind.Array || items.EnumerateArray().Any(item => item.ValueKind != JsonValueKind.Object)))
            {
                throw fields.Wrong("data");
            }
            return new(type, data?.Clone(), fields.PageSize("n_events"), fields.Offset());
        }
    }
}

/// <summary>Makes jobs of what the original's backend gives.</summary>
internal sealed class GivenEvents(AssistantsDb db, EventUsers users, TimeProvider time)
{
    public const string TodoEmails = "todo_daily_emails";

    public static readonly string[] Types = [TodoEmails, "daily_emails", "daily_notifications", "calendar_suggestion_notifications"];

    /// <summary>Whom we do not know is told nothing.</summary>
    public async Task LaunchAsync(string type, JsonElement items, CancellationToken ct)
    {
        var given = items.EnumerateArray()
            .Select(item => (UserId: GivenText.Of(item, "user_id", Fields.ShortText) ?? "", Item: item)).ToList();
        var known = (await users.ListAsync([.. given.Select(one => one.UserId).Distinct(StringComparer.Ordinal)], ct))
            .ToDictionary(user => user.Id, StringComparer.Ordinal);
        var now = time.GetUtcNow();
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var rows = given.FindAll(one => known.ContainsKey(one.UserId))
            .ConvertAll(one => new GivenRow { UserId = one.UserId, Content = one.Item.GetRawText(), CreatedAt = now });
        db.AddRange(rows);
        await db.SaveChangesAsync(ct);
        foreach (var row in rows)
        {
            var user = known[row.UserId];
            Launch(type, user, user.LocalTime.DateAt(now), row.Id);
        }
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
    }

    private void Launch(string type, EventUser user, DateOnly date, long given)
    {
        switch (type)
        {
            case TodoEmails:
                db.Enqueue(new WriteTodoEmail(user.Id, date, given), EventJobs.Once(user, EventTypes.TodoEmail, date));
                break;
            case "daily_emails":
                db.Enqueue(new WriteReminderEmail(user.Id, date, given), EventJobs.Once(user, EventTypes.ReminderEmail, date));
                break;
            case "daily_notifications":
                db.Enqueue(new WriteDailyNotification(user.Id, date, given), EventJobs.Once(user, EventTypes.DailyNotification, date));
                break;
            default:
                db.Enqueue(new WriteCalendarNotification(user.Id, SuggestionId: null, given), new() { Owner = user.Owner });
                break;
        }
    }
}
