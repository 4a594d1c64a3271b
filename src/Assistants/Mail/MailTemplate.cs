using System.Net;

namespace Stoa.Assistants.Mail;

/// <summary>What stands around a message: its button, and why somebody gets it.</summary>
internal enum MailButton
{
    ViewTodos,
    Login,
    SetPassword,
}

/// <summary>
/// The page that a message to a user is put into (<c>message_from_mojodex</c>), in his language. Names of its holes:
/// <c>mojodex_message</c>, <c>button_text</c>, and the web application's address as <c>mojodex_link</c> and <c>mojodex_webapp_url</c>.
/// </summary>
internal static class MailTemplate
{
    private const string Button = """
        <p style="margin:24px 0 8px"><a href="{{mojodex_webapp_url}}" style="display:inline-block;padding:10px 20px;background:#2457c5;color:#fff;text-decoration:none;border-radius:6px">{{button_text}}</a></p>
        """;

    private static readonly string Page = Read();

    private static readonly Dictionary<string, Words> Languages = new(StringComparer.Ordinal)
    {
        ["en"] = new("View To-do List", "Login", "Set a new password",
            "You get this mail because your assistant works for you.", "Stop these mails"),
        ["fr"] = new("Voir la liste de tâches", "Se connecter", "Choisir un nouveau mot de passe",
            "Vous recevez ce message parce que votre assistant travaille pour vous.", "Ne plus recevoir ces messages"),
        ["es"] = new("Ver la lista de tareas", "Iniciar sesión", "Elegir una nueva contraseña",
            "Recibe este mensaje porque su asistente trabaja para usted.", "Dejar de recibir estos mensajes"),
    };

    /// <param name="html">As <see cref="SafeHtml"/> made it.</param>
    public static string Html(string language, string subject, string html, MailButton button, string? webapp, string? unsubscribe)
    {
        var words = WordsOf(language);
        var link = unsubscribe is null ? ""
            : $" <a href=\"{WebUtility.HtmlEncode(unsubscribe)}\" style=\"color:inherit\">{WebUtility.HtmlEncode(words.Stop)}</a>";
        return Fill(
            Page,
            ("language", WebUtility.HtmlEncode(language)),
            ("subject", WebUtility.HtmlEncode(subject)),
            ("mojodex_message", html),
            ("button", webapp is null ? "" : Fill(
                Button,
                ("mojodex_webapp_url", WebUtility.HtmlEncode(webapp)),
                ("mojodex_link", WebUtility.HtmlEncode(webapp)),
                ("button_text", WebUtility.HtmlEncode(words.Of(button))))),
            ("footer", WebUtility.HtmlEncode(words.Why) + link));
    }

    public static string Text(string language, string text, MailButton button, string? webapp, string? unsubscribe)
    {
        var words = WordsOf(language);
        var lines = webapp is null ? text : $"{text}\n\n{words.Of(button)}: {webapp}";
        return unsubscribe is null ? $"{lines}\n\n--\n{words.Why}" : $"{lines}\n\n--\n{words.Why}\n{words.Stop}: {unsubscribe}";
    }

    private static Words WordsOf(string language) =>
        Languages.GetValueOrDefault(language.Length >= 2 ? language[..2].ToLowerInvariant() : language) ?? Languages["en"];

    // In one pass: what is put into one hole is not looked through for others.
    private static string Fill(string page, params IEnumerable<(string Name, string Value)> values)
    {
        var filled = new System.Text.StringBuilder();
        var rest = page.AsSpan();
        while (rest.IndexOf("{{", StringComparison.Ordinal) is var start and >= 0)
        {
            var end = start + rest[start..].IndexOf("}}", StringComparison.Ordinal);
            var name = rest[(start + 2)..end].ToString();
            filled.Append(rest[..start]).Append(values.First(value => value.Name == name).Value);
            rest = rest[(end + 2)..];
        }
        return filled.Append(rest).ToString();
    }

    private static string Read()
    {
        using var reader = new StreamReader(
            typeof(MailTemplate).Assembly.GetManifestResourceStream("Stoa.Assistants.Mail.message_from_mojodex.html")!);
        return reader.ReadToEnd();
    }

    private sealed record Words(string ViewTodos, string Login, string SetPassword, string Why, string Stop)
    {
        public string Of(MailButton button) => button switch
        {
            MailButton.ViewTodos => ViewTodos,
            MailButton.Login => Login,
            MailButton.SetPassword => SetPassword,
        };
    }
}
