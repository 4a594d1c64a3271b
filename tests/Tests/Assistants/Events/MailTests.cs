using Microsoft.Extensions.Options;
using Stoa.Assistants.Mail;
using Stoa.Platform.Jobs;
using Stoa.Tests.Support;

namespace Stoa.Tests.Assistants.Events;

/// <summary>How a mail leaves, and what of a model's HTML is left of it.</summary>
public sealed class MailTests
{
    private static readonly Uri Own = new("https://app.example.org");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("<p>Hi <b>you</b></p>", "<p>Hi <b>you</b></p>")]
    [InlineData("<p onclick=x>Hi<b>you", "<p>Hi<b>you</b></p>")]
    [InlineData("<ul><li>one<li>two</ul></p></div>after", "<ul><li>one<li>two</li></li></ul>after")]
    [InlineData("a<script>b</script>c<style>d</style><svg><b>e</b></svg>f<title>g", "acf")]
    [InlineData("1 &lt; 2 &amp;&#x6a; <!-- c --> <? p ?> <![CDATA[d]]>", "1 &lt; 2 &amp;j   ")]
    [InlineData("<a href='https://app.example.org/x?a=1&amp;b=2'>own</a>", "<a href=\"https://app.example.org/x?a=1&amp;b=2\">own</a>")]
    [InlineData(
        "<a href='https://app.example.org.evil.example/'>o</a><a href='https://u@app.example.org/'>o</a><a href='//evil'>o</a><a>o</a>",
        "oooo")]
    [InlineData("<a href='jAvascript:x'>o</a><a href='data:text/html,x'>o</a><a href='http://app.example.org/'>o</a>", "ooo")]
    [InlineData("<img src=x><iframe src=y></iframe><form action=z><input></form><meta><base href=b><link>", "")]
    [InlineData("<b \"><script>x</script>", "<b></b>")]
    public void Only_what_is_allowed_is_written_anew(string given, string clean) => Assert.Equal(clean, SafeHtml.Clean(given, Own).Html);

    [Fact]
    public void Neither_depth_nor_length_costs_more_than_reading_it()
    {
        var deep = SafeHtml.Clean(string.Concat(Enumerable.Repeat("<b><blockquote><p>", 30_000)) + "end", Own);

        Assert.EndsWith("end", deep.Text, StringComparison.Ordinal);
        Assert.InRange(deep.Html.Length, 3, 1_000);
    }

    [Fact]
    public void The_text_of_a_mail_keeps_its_lines() => Assert.Equal(
        "Hello\n\n- one\n- two\n\nBye & thanks",
        SafeHtml.Clean("<h1>Hello</h1><ul><li>one</li><li>two</li></ul><p>Bye &amp; thanks</p>", Own).Text);

    [Fact]
    public void A_line_is_one_line_and_an_address_one_address()
    {
        Assert.Equal("a  Bcc: b", Letter.Line("a\r\nBcc: b\0"));
        Assert.Equal(199, Letter.Line(new string('x', 199) + "😀").Length);
        Assert.All((string?[])["a@b.example", "é@b.example"], address => Assert.True(Letter.IsAddress(address)));
        Assert.All(
            (string?[])[null, "", "a", "a@", "a@b.example,c@d.example", "A <a@b.example>",
                "a@b.example\r\nBcc: c", "a@b.example ", new string('a', 300) + "@b.example"],
            address => Assert.False(Letter.IsAddress(address)));
    }

    [Fact]
    public void The_templates_speak_three_languages_and_put_nothing_of_a_text_into_a_hole()
    {
        var html = MailTemplate.Html(
            "es", "{{button}}", "<p>{{footer}}</p>", MailButton.Login, "https://app.example.org/?a=1&b=2", "https://x.example/?token=t");

        Assert.Contains("<title>{{button}}</title>", html, StringComparison.Ordinal);
        Assert.Contains("<p>{{footer}}</p>", html, StringComparison.Ordinal);
        Assert.Contains("href=\"https://app.example.org/?a=1&amp;b=2\"", html, StringComparison.Ordinal);
        Assert.Contains("Iniciar sesi", html, StringComparison.Ordinal);
        Assert.Contains("Voir la liste",
            MailTemplate.Text("fr-CA", "x", MailButton.ViewTodos, "https://app.example.org", null), StringComparison.Ordinal);
        Assert.Contains("View To-do List",
            MailTemplate.Text("xx", "x", MailButton.ViewTodos, "https://app.example.org", null), StringComparison.Ordinal);
    }

    [Fact]
    public void The_password_of_sess_smtp_endpoint_is_signed_with_the_secret_key() => Assert.Equal(
        "BMW5RDrXmmVs0lV7GpI4oLkHXpZ4stDsk6q91z1g38Pk", Mailer.SesPassword("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "eu-west-1"));

    [Fact]
    public async Task Nothing_is_said_unencrypted_where_encryption_was_asked_for_and_a_wrong_password_can_be_tried_again()
    {
        await using var smtp = new LoopbackSmtp();
        var letter = new Letter("x", ["b@example.org"], "s", "t");
        var isTaken = false;
        Task TakenAsync()
        {
            isTaken = true;
            return Task.CompletedTask;
        }

        await Assert.ThrowsAsync<IOException>(() => MailerOf(smtp, startTls: true, LoopbackSmtp.Password)
            .SendAsync(letter, TakenAsync, Ct));
        await Assert.ThrowsAsync<IOException>(() => MailerOf(smtp, startTls: false, "wrong").SendAsync(letter, TakenAsync, Ct));
        smtp.Refuses = _ => "450 later";
        await Assert.ThrowsAsync<IOException>(() => MailerOf(smtp, startTls: false, LoopbackSmtp.Password)
            .SendAsync(letter, TakenAsync, Ct));
        smtp.Refuses = _ => "550 never";
        await Assert.ThrowsAsync<JobFailure>(() => MailerOf(smtp, startTls: false, LoopbackSmtp.Password)
            .SendAsync(letter, TakenAsync, Ct));
        Assert.False(isTaken);
        Assert.Empty(smtp.Mails);
    }

    [Theory]
    [InlineData("Assistants:Mail:Host", "mail.example.org", "SenderEmail must be the address that mail is sent from")]
    [InlineData("Assistants:Mail:TechnicalReceivers", "a@b.example, nobody", "TechnicalReceivers must list e-mail addresses")]
    [InlineData("Assistants:Push:ServiceAccount", "{}", "ServiceAccount must be a service account's key file")]
    public async Task A_wrong_setting_stops_the_start(string setting, string value, string problem)
    {
        var wrong = await Assert.ThrowsAsync<Stoa.Platform.Hosting.WrongSettingException>(() => Stoa.Host.App.BuildAsync(
            ["--environment", "Development"], [new(setting, value), new("Assistants:Push:ProjectId", "p")]));

        Assert.Contains(problem, wrong.Message, StringComparison.Ordinal);
    }

    private static Mailer MailerOf(LoopbackSmtp smtp, bool startTls, string password) => new(
        Options.Create(new MailOptions
        {
            Host = "127.0.0.1", Port = smtp.Port, StartTls = startTls, SenderEmail = LoopbackSmtp.User, Password = password,
        }),
        TimeProvider.System);
}
