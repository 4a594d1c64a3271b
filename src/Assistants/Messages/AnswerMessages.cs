using Stoa.Assistants.Cortexes;
using Stoa.Assistants.Documents.Retrieval;
using Stoa.Assistants.Users;
using Stoa.Platform.Data;
using Stoa.Platform.Jobs;

namespace Stoa.Assistants.Messages;

/// <summary>Answers what the user has said in a session, or begins to work on what his form asks for.</summary>
internal sealed record AnswerMessages(string SessionId)
{
    public const string Kind = "assistants.answer_messages";

    /// <summary>Into the unit of work. One at a time for a session: what is said meanwhile is answered once more, together.</summary>
    public static void Enqueue(ModuleDb db, UserRow user, string sessionId) => db.Enqueue(new AnswerMessages(sessionId), new()
    {
        Owner = JobOwners.Of(user), UniqueKey = sessionId, UniqueMode = UniqueMode.Coalesce,
    });
}

/// <param name="Text">For the user, without marks.</param>
/// <param name="Marked">The same as the model wrote it.</param>
/// <param name="Draft">What he has asked to be written, if that is in it.</param>
internal sealed record Answer(string Text, string Marked, string? DraftTitle, string? Draft)
{
    public static readonly AnswerForm<Answer> Form = new(Read);

    /// <summary><c>&lt;title&gt;…&lt;/title&gt;&lt;draft&gt;…&lt;/draft&gt;</c> in it is a draft, and everything else is said.</summary>
    public static Answer Read(string reply)
    {
        var marked = reply.Replace("\0", "", StringComparison.Ordinal).Trim();
        if (marked.Length == 0)
        {
            throw new UnusableAnswerException("it is empty");
        }
        var (draft, rest) = Take(marked, "draft");
        if (draft is null)
        {
            return new(marked, marked, null, null);
        }
        var (title, said) = Take(rest, "title");
        return new(said.Trim() is { Length: > 0 } text ? text : draft, marked, title, draft);
    }

    private static (string? Inside, string Outside) Take(string text, string name)
    {
        var (open, close) = ($"<{name}>", $"</{name}>");
        var start = text.IndexOf(open, StringComparison.Ordinal);
        var end = start < 0 ? -1 : text.IndexOf(close, start, StringComparison.Ordinal);
        var inside = end < 0 ? "" : text[(start + open.Length)..end].Trim();
        return inside.Length == 0 ? (null, text) : (inside, text[..start] + text[(end + close.Length)..]);
    }
}

internal sealed class AnswerMessagesCortex(
    AssistantsDb db, AnswerSubjects subjects, AnswerStore answers, DocumentSearch documents, Mind mind, TimeProvider time)
    : Cortex<AnswerMessages, AnswerSubject, Answer>(db)
{
    private const int MostSources = 5;

    private static readonly string Prompt = CortexPrompts.Of("answer-messages.1");

    protected override Task<AnswerSubject?> LoadAsync(AnswerMessages job, CancellationToken ct) => subjects.FindAsync(job.SessionId, ct);

    protected override async Task<Answer> ThinkAsync(AnswerSubject subject, JobContext context, CancellationToken ct)
    {
        var about = subject.About;
        var sources = subject.Question is { } question
            ? await documents.FindAsync(about.UserId, about.OrganizationId, question, MostSources, context, ct) : [];
        var material = about.Introduction(time.GetUtcNow()).Add("task", about.Task)
            .Add("task_instructions", subject.Instructions)
            .Add("goal", about.Goal)
            .Add("form", about.Inputs == "[]" ? null : about.Inputs)
            .Add("title_format", subject.TitleFormat)
            .Add("draft_format", subject.DraftFormat)
            .Add("draft", about.Result)
            .AddSources(sources)
            .Add("conversation", about.Conversation());
        try
        {
            return await mind.AskAsync(
                new(about.OrganizationId, "answer_messages", Prompt, material.ToString()) 
                {
                    MaxOutput = 4_000, Images = [.. subject.Images.Select(image => image.Part)],
                }, Answer.Form, context, ct);
        }
        catch (Exception failed) when (!ct.IsCancellationRequested && CortexRules.IsLast(failed, context))
        {
            // The job is dead by that; the user sees it where he waits for the answer.
            await answers.FailAsync(subject, ct);
            throw;
        }
    }

    protected override Task SaveAsync(AnswerSubject subject, Answer thought, CancellationToken ct) =>
        answers.SaveAsync(subject, thought, ct);
}
