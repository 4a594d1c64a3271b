using System.Globalization;
using Markdig;
using Stoa.Assistants.Mail;

namespace Stoa.Assistants.Events;

/// <summary>An event as the mail that its user gets.</summary>
internal static class EventLetter
{
    private static readonly MarkdownPipeline Markdown = new MarkdownPipelineBuilder().DisableHtml().Build();

    public static Letter Of(EventRow row, EmailMessage message, EventUser user, string? webapp, string? unsubscribe)
    {
        var isReminder = row.EventType == EventTypes.ReminderEmail;
        var source = isReminder ? HtmlOf(message.Body)
            : message.Body.Contains('<', StringComparison.Ordinal) ? message.Body
            : SafeHtml.OfText(message.Body);
        var (html, text) = SafeHtml.Clean(source, webapp is null ? null : new Uri(webapp));
        var button = isReminder ? MailButton.Login : MailButton.ViewTodos;
        var subject = Letter.Line(message.Subject);
        return new(IdOf(row), [message.Email ?? user.Email], subject,
            MailTemplate.Text(user.LanguageCode, text, button, webapp, unsubscribe))
        {
            Html = MailTemplate.Html(user.LanguageCode, subject, html, button, webapp, unsubscribe),
            UnsubscribeUrl = unsubscribe,
        };
    }

    private static string HtmlOf(string text)
    {
        try
        {
            return Markdig.Markdown.ToHtml(text, Markdown);
        }
        catch (ArgumentException)
        {
            // Nested without end.
            return SafeHtml.OfText(text);
        }
    }

    // The instant tells apart installations that mail from the same domain.
    private static string IdOf(EventRow row) =>
        string.Create(CultureInfo.InvariantCulture, $"event.{row.Id}.{row.CreatedAt.ToUnixTimeMilliseconds()}");
}
