using System.Text.Json.Serialization.Metadata;
using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Mail;
using Stoa.Assistants.Push;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Events;

/// <summary>A process that writes to one user: who he is, what for, and what is to be said.</summary>
/// <param name="Key">See <see cref="EventTypes.KeyOf"/>.</param>
internal sealed record EventSubject(EventUser User, string? Key, Material Material)
{
    /// <summary>What the user's client is told beside a notification.</summary>
    public Dictionary<string, string> Data { get; init; } = [];
}

/// <summary>What the cortexes of events need besides their own.</summary>
internal sealed record EventParts(
    AssistantsDb Db, EventUsers Users, EventOutbox Outbox, Mind Mind, Mailer Mailer, Pusher Pusher, TimeProvider Time);

/// <summary>
/// Writes a user something and puts it into the outbox, in the transaction that ends the job: it is told by another job, and the model is
/// not asked again when that one fails.
/// </summary>
internal abstract class EventCortex<TJob, TAnswer, TMessage>(EventParts parts, string type) : Cortex<TJob, EventSubject, TAnswer>(parts.Db)
    where TAnswer : class
{
    protected EventParts Parts => parts;

    protected abstract string Prompt { get; }

    protected abstract AnswerForm<TAnswer> Form { get; }

    protected abstract JsonTypeInfo<TMessage> Json { get; }

    protected virtual int MaxOutput => 500;

    protected virtual double Temperature => 0;

    protected abstract TMessage MessageOf(EventSubject subject, TAnswer answer);

    /// <summary>Null where there is nobody to be told, he does not want to be, or he was told before.</summary>
    protected async Task<EventUser?> FindUserAsync(string userId, string? key, CancellationToken ct)
    {
        if (EventTypes.IsEmail(type) && !parts.Mailer.IsConfigured)
        {
            throw JobFailure.Dead("No mail server is configured");
        }
        return await parts.Users.FindAsync(userId, ct) is { } user && user.Wants(type)
            && (!EventTypes.IsNotification(type) || await parts.Pusher.HasDeviceAsync(userId, ct))
            && (key is null || !await parts.Outbox.HasAsync(key, ct)) ? user : null;
    }

    protected override Task<TAnswer> ThinkAsync(EventSubject subject, JobContext context, CancellationToken ct) => parts.Mind.AskAsync(
        new(subject.User.OrganizationId, type, CortexPrompts.Of(Prompt),
            subject.Material.ToString()) { MaxOutput = MaxOutput, Temperature = Temperature },
        Form, context, ct);

    protected override Task SaveAsync(EventSubject subject, TAnswer thought, CancellationToken ct) =>
        parts.Outbox.AddAsync(subject.User, type, MessageOf(subject, thought), Json, subject.Key, ct);
}

/// <summary>How the jobs that write events are enqueued: once for a user and a local day.</summary>
internal static class EventJobs
{
    public static readonly JobRules Rules = CortexRules.Default with { MaxAge = TimeSpan.FromHours(18) };

    private static readonly TimeSpan Days = TimeSpan.FromDays(2);

    public static EnqueueOptions Once(EventUser user, string type, DateOnly localDate) => new()
    {
        Owner = user.Owner, UniqueKey = EventTypes.KeyOf(type, user.Id, localDate), UniqueFor = Days, UniqueIn = [JobState.Succeeded],
    };
}
