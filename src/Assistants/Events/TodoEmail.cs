using System.ComponentModel;
using System.Text.Json.Serialization.Metadata;
using Stoa.Assistants.Cortexes;

namespace Stoa.Assistants.Events;

/// <summary>The morning mail: the to-dos of the day, and what the assistant has moved and taken off.</summary>
/// <param name="GivenId">The lists as the original's backend sends them; null: they are read when it is written.</param>
internal sealed record WriteTodoEmail(string UserId, DateOnly Date, long? GivenId)
{
    public const string Kind = "assistants.todo_daily_email";
}

internal sealed record EmailAnswer(
    [property: Description("The subject of the mail, without markup")] string Subject,
    [property: Description("The body of the mail")] string Body);

internal sealed class TodoEmailCortex(EventParts parts, TodoListStore todos)
    : EventCortex<WriteTodoEmail, EmailAnswer, EmailMessage>(parts, EventTypes.TodoEmail)
{
    private static readonly AnswerForm<EmailAnswer> Email = AnswerForms.Json("todo_daily_email", EventsJson.Default.EmailAnswer);

    protected override string Prompt => "todo-daily-email.1";

    protected override AnswerForm<EmailAnswer> Form => Email;

    protected override JsonTypeInfo<EmailMessage> Json => EventsJson.Default.EmailMessage;

    protected override int MaxOutput => 4_000;

    protected override async Task<EventSubject?> LoadAsync(WriteTodoEmail job, CancellationToken ct)
    {
        var key = EventTypes.KeyOf(EventTypes.TodoEmail, job.UserId, job.Date);
        if (await FindUserAsync(job.UserId, key, ct) is not { } user)
        {
            return null;
        }
        var lists = job.GivenId is not { } id ? await todos.ReadAsync(UserDay.Of(user, Parts.Time.GetUtcNow()), ct)
            : await Given.FindAsync(Parts.Db, id, ct) is { } given ? TodoLists.Of(given) : null;
        return lists is null or { IsEmpty: true } ? null : new(user, key, lists.AddTo(user.Introduction(Parts.Time.GetUtcNow())));
    }

    protected override EmailMessage MessageOf(EventSubject subject, EmailAnswer answer) =>
        new(answer.Subject, answer.Body, subject.User.Email);
}
