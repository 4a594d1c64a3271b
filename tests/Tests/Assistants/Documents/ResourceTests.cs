using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Assistants.Documents.Reading;
using Stoa.Assistants.Documents.Retrieval;
using Stoa.Gateway;
using Stoa.Platform.Identity;

namespace Stoa.Tests.Assistants.Documents;

public sealed class ResourceTests(DocumentsSite site) : IClassFixture<DocumentsSite>
{
    private AssistantsSite Assistants => site.Assistants;

    [Fact]
    public async Task A_text_is_kept_found_edited_and_deleted()
    {
        var (user, stranger) = (await Assistants.UserAsync(), await Assistants.UserAsync());
        JsonObject text = new() { ["name"] = "Garden", ["text"] = "Tomatoes are watered on Tuesday.\n\nRoses are cut in March." };
        Assert.Equal("ok", (string?)(await Assistants.OkAsync(user.Token, HttpMethod.Put, "/resource", text))["success"]);
        await Assistants.Host.RunJobsAsync();

        var listed = (await Assistants.OkAsync(user.Token, HttpMethod.Get, "/resource?learned_by_mojo=true"))["documents"]!.AsArray()
            .Single()!;
        var id = (int)listed["document_pk"]!;
        Assert.Equal(
            ("Garden", "learned_by_mojo", "Ada"), ((string?)listed["name"], (string?)listed["document_type"], (string?)listed["author"]));
        Assert.Equal("Tomatoes are watered on Tuesday. Roses are cut in March.", (string?)listed["text"]);
        Assert.Equal("Garden", (await site.SearchAsync(user, "When are tomatoes watered?"))[0].Source);
        Assert.Empty(await site.SearchAsync(stranger, "When are tomatoes watered?"));
        Assert.Equal(1, await Assistants.ValueAsync<long>(
            "select count(*) from assistants.document_chunks where user_id = $1 and embedding is not null", user.Id));
        Assert.Equal(
            "400 Document already exist in user's documents", await Assistants.StatusAsync(user.Token, HttpMethod.Put, "/resource", text));

        Assert.Equal("404 Document not found for this user", await Assistants.StatusAsync(
            stranger.Token, HttpMethod.Post, "/resource", new() { ["document_pk"] = id, ["edition"] = "mine" }));
        Assert.Equal("400 Missing field 'edition'",
            await Assistants.StatusAsync(user.Token, HttpMethod.Post, "/resource", new() { ["document_pk"] = id }));
        Assert.Equal(id, (int?)(await Assistants.OkAsync(user.Token, HttpMethod.Post, "/resource",
            new() { ["document_pk"] = id, ["edition"] = "Tulips are planted in October." }))["document_pk"]);
        Assert.Equal("Tulips are planted in October.", (await site.SearchAsync(user, "tulips"))[0].Text);
        Assert.Equal("ok", (string?)(await Assistants.OkAsync(null, HttpMethod.Post, "/background/update_document",
            new() { ["document_pk"] = id, ["user_id"] = user.Id, ["edition"] = "Lilies bloom in June." }))["success"]);
        Assert.Equal("Lilies bloom in June.", (await site.SearchAsync(user, "lilies"))[0].Text);

        Assert.Equal("404 Document not found for this user",
            await Assistants.StatusAsync(stranger.Token, HttpMethod.Delete, $"/resource?document_pk={id}"));
        await Assistants.OkAsync(user.Token, HttpMethod.Delete, $"/resource?document_pk={id}");
        Assert.Empty(await site.SearchAsync(user, "lilies"));
        Assert.Equal("404 Document not found for this user",
            await Assistants.StatusAsync(user.Token, HttpMethod.Delete, $"/resource?document_pk={id}"));
        await Assistants.OkAsync(user.Token, HttpMethod.Put, "/resource", text);
        Assert.Equal("Garden", (await site.SearchAsync(user, "tomatoes"))[0].Source);
    }

    [Fact]
    public async Task A_user_has_no_more_documents_than_he_may()
    {
        const string Read = "/background/create_document_from_website";
        var user = await Assistants.UserAsync();
        JsonObject more = new() { ["website_url"] = "https://more.test/", ["user_id"] = user.Id };
        await Assistants.SqlAsync(
            "insert into assistants.websites (user_id, url) select $1, 'https://full.test/' || n from generate_series(1, 50) n", user.Id);
        await Assistants.SqlAsync("""
            insert into assistants.documents (user_id, document_type, name, title, language, created_at)
            select $1, 'learned_by_mojo', 'full ' || n, 'full', 'en', now() from generate_series(1, 1000) n
            """, user.Id);

        Assert.Equal("400 A user has at most 50 websites", await Assistants.StatusAsync(null, HttpMethod.Post, Read, more));
        Assert.Equal("400 A user has at most 1000 texts and files",
            await Assistants.StatusAsync(user.Token, HttpMethod.Put, "/resource", new() { ["name"] = "more", ["text"] = "A word." }));
        await Assistants.SqlAsync("update assistants.websites set run = 1 where user_id = $1 and url = 'https://full.test/7'", user.Id);
        await Assistants.SqlAsync("update assistants.documents set deleted_at = now() where user_id = $1 and name = 'full 7'", user.Id);

        Assert.Equal("200 ", await Assistants.StatusAsync(null, HttpMethod.Post, Read, more));
        Assert.Equal("200 ",
            await Assistants.StatusAsync(user.Token, HttpMethod.Put, "/resource", new() { ["name"] = "more", ["text"] = "A word." }));
        Assert.Equal(51, await Assistants.ValueAsync<long>("select count(*) from assistants.websites where user_id = $1", user.Id));
    }

    [Fact]
    public async Task Files_are_read_by_what_they_are()
    {
        var user = await Assistants.UserAsync();

        Assert.Equal(
            "200 ", await UploadAsync(user, "notes.md", "text/markdown", "# Whales\n\nWhales *sing*.\n\n```\nlet x = 1\n```"u8.ToArray()));
        Assert.Equal("200 ",
            await UploadAsync(user, "page.html", "text/html", "<title>Owls</title><nav>menu</nav><p>Owls hunt at night.</p>"u8.ToArray()));
        Assert.Equal("200 ", await UploadAsync(user, "plain.txt", "text/plain", Encoding.Latin1.GetBytes("Caf\u00e9 opens at eight.")));
        Assert.Equal("200 ", await UploadAsync(user, "letter.docx", "application/octet-stream", Docx("Dear Sir,", "the parrot is dead.")));
        Assert.Equal(
            "200 ", await UploadAsync(user, "deep.md", "text/markdown", Encoding.ASCII.GetBytes($"{new string('>', 5_000)} Bats")));
        Assert.Equal("200 ", await UploadAsync(
            user, "deep.docx", "application/octet-stream", Docx($"first</w:t></w:r>{Deep("<w:p>")}{Deep("</w:p>")}<w:r><w:t>last")));
        Assert.Equal("413 The document is too large when it is unpacked",
            await UploadAsync(user, "bomb.docx", "application/octet-stream", Filled(Docx("small"))));
        Assert.Equal(
            "400 The document cannot be read", await UploadAsync(user, "broken.docx", "application/octet-stream", "no zip"u8.ToArray()));
        Assert.Equal("415 Files are read as HTML, text, Markdown, PDF and DOCX",
            await UploadAsync(user, "a.exe", "application/octet-stream", [1, 2, 3]));
        Assert.StartsWith(
            "413", await UploadAsync(user, "large.txt", "text/plain", new byte[(2_048 * 1_024) + 1]), StringComparison.Ordinal);

        var texts = (await Assistants.OkAsync(user.Token, HttpMethod.Get, "/resource?learned_by_mojo=true"))["documents"]!.AsArray()
            .ToDictionary(document => (string)document!["name"]!, document => (string)document!["text"]!, StringComparer.Ordinal);
        Assert.Equal("Whales Whales sing. let x = 1", texts["notes.md"]);
        Assert.Equal("Owls hunt at night.", texts["page.html"]);
        Assert.Equal("Café opens at eight.", texts["plain.txt"]);
        Assert.Equal("Dear Sir, the parrot is dead.", texts["letter.docx"]);
        Assert.Equal("first last", texts["deep.docx"]);
        Assert.EndsWith("> Bats", texts["deep.md"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pdf_is_read_where_pdftotext_is_installed_and_a_hostile_one_is_refused()
    {
        Assert.SkipUnless(PdfText.IsInstalled, "pdftotext is not installed (Debian: poppler-utils)");
        var user = await Assistants.UserAsync();
        var words = "BT /F1 12 Tf 72 700 Td (Penguins swim under the ice.) Tj ET";

        Assert.Equal("200 ", await UploadAsync(user, "birds.pdf", "application/pdf", Pdf(Encoding.ASCII.GetBytes(words))));
        Assert.Equal("birds.pdf", (await site.SearchAsync(user, "penguins"))[0].Source);

        Assert.Equal("400 The PDF cannot be read", await UploadAsync(user, "no.pdf", "application/pdf", "no pdf at all"u8.ToArray()));
        Assert.Equal("400 The PDF cannot be read", await UploadAsync(user, "empty.pdf", "application/pdf", []));
        // Some hundred kilobytes that unpack to a billion letters: they end at the memory, the time, or what may be said.
        var bomb = await UploadAsync(user, "bomb.pdf", "application/pdf",
            Pdf(Deflated("BT /F1 9 Tf (boom boom) Tj 1 2 Td ET\n", 2_000_000), " /Filter /FlateDecode"));
        Assert.Contains(
            bomb, (string[])["400 The PDF cannot be read", "400 Reading the PDF took too long", "413 The text of the PDF is too long"]);
        Assert.Single((await Assistants.OkAsync(user.Token, HttpMethod.Get, "/resource?learned_by_mojo=true"))["documents"]!.AsArray());
    }

    [Fact]
    public async Task What_is_wrong_is_refused_and_changes_nothing()
    {
        var user = await Assistants.UserAsync();
        foreach (var (method, path, body, expected) in (IEnumerable<(HttpMethod, string, JsonObject, string)>)[
            (HttpMethod.Put, "/resource", new(), "400 Missing field 'website_url'"),
            (HttpMethod.Put, "/resource", new() { ["text"] = "x" }, "400 Missing field 'name'"),
            (HttpMethod.Put, "/resource", new() { ["text"] = 7, ["name"] = "n" }, "400 Invalid field 'text'"),
            (HttpMethod.Put, "/resource", new() { ["text"] = "a\0b", ["name"] = "n" }, "400 Invalid field 'text'"),
            (HttpMethod.Put, "/resource", new() { ["website_url"] = new JsonArray() }, "400 Invalid field 'website_url'"),
            (HttpMethod.Post, "/resource", new() { ["edition"] = "x" }, "400 Missing field 'document_pk'"),
            (HttpMethod.Post, "/resource", new() { ["document_pk"] = "nonsense", ["edition"] = "x" }, "400 Invalid field 'document_pk'"),
            (HttpMethod.Post, "/resource", new() { ["document_pk"] = 9_000_000_000, ["edition"] = "x" }, "400 Invalid field 'document_pk'"),
            (HttpMethod.Post, "/resource", new() { ["document_pk"] = 1_000_000, ["edition"] = "x" },
                "404 Document not found for this user"),
        ])
        {
            Assert.Equal(expected, await Assistants.StatusAsync(user.Token, method, path, body));
        }
        Assert.Equal("400 Missing field 'learned_by_mojo'", await Assistants.StatusAsync(user.Token, HttpMethod.Get, "/resource"));
        Assert.Equal("400 Invalid field 'learned_by_mojo'",
            await Assistants.StatusAsync(user.Token, HttpMethod.Get, "/resource?learned_by_mojo=perhaps"));
        Assert.Equal(
            "400 Invalid field 'top_k'", await Assistants.StatusAsync(user.Token, HttpMethod.Get, "/resource/search?query=x&top_k=51"));
        Assert.Equal("404 company not found", await Assistants.StatusAsync(null, HttpMethod.Post, "/background/parse_website",
            new() { ["company_pk"] = 77, ["website_url"] = "https://example.org", ["user_id"] = user.Id }));
        Assert.Equal("400 invalid inputs", await Assistants.StatusAsync(
            null, HttpMethod.Post, "/background/parse_website", new() { ["website_url"] = "https://example.org", ["user_id"] = user.Id }));
        Assert.Equal("404 user not found", await Assistants.StatusAsync(null, HttpMethod.Post,
            "/background/create_document_from_website", new() { ["website_url"] = "https://example.org", ["user_id"] = "nobody" }));
        Assert.Equal(0, await Assistants.ValueAsync<long>("select count(*) from assistants.documents where user_id = $1", user.Id));
    }

    [Fact]
    public async Task Questions_of_any_form_find_something_or_nothing()
    {
        var user = await Assistants.UserAsync();
        await Assistants.OkAsync(user.Token, HttpMethod.Put, "/resource",
            new() { ["name"] = "Quote's", ["text"] = "It's O'Brien's back\\slash & pipe | colon : star * (paren)." });
        await Assistants.Host.RunJobsAsync();

        foreach (var question in (string[])["O'Brien", "back\\slash", "'; drop table x; --",
            "a & b | !c <-> d:*", "\"", "ﬀ 😀", new('x', 7_000), "  "])
        {
            Assert.True((await site.SearchAsync(user, question)).Count <= 1);
        }
        Assert.Equal("Quote's", (await site.SearchAsync(user, "O'Brien's paren"))[0].Source);
    }

    [Fact]
    public async Task A_word_of_the_question_counts_more_in_a_title_and_more_the_more_often_it_is_there()
    {
        var user = await Assistants.UserAsync();
        // In the order in which they would be found if nothing but the word itself counted.
        foreach (var (name, text) in ((string, string)[])[
            ("Savanna", "In the morning the zebra grazes, and in the evening the lion drinks."),
            ("Animals", "A zebra follows another zebra to where the first zebra has gone."),
            ("Zebras", "In the morning the zebra grazes, and the lion drinks.")])
        {
            await Assistants.OkAsync(user.Token, HttpMethod.Put, "/resource", new() { ["name"] = name, ["text"] = text });
        }
        await using var scope = Assistants.Host.Services.CreateAsyncScope();

        var found = await scope.ServiceProvider.GetRequiredService<WordSearch>()
            .FindAsync(user.Id, "Where is a zebra?", 10, TestContext.Current.CancellationToken);

        var names = new List<string>();
        foreach (var id in found)
        {
            names.Add(await Assistants.ValueAsync<string>("select title from assistants.document_chunks where id = $1", id));
        }
        Assert.Equal(["Zebras", "Animals", "Savanna"], names);
    }

    [Fact]
    public void Two_pieces_of_a_document_come_before_others_have_had_their_turn()
    {
        Citation[] found = [Of(1, 0, 0.9), Of(1, 1, 0.8), Of(1, 2, 0.7), Of(2, 0, 0.5), Of(3, 0, 0.6)];

        Assert.Equal([(1, 0), (1, 1), (3, 0), (2, 0)], Picked(4));
        Assert.Equal([(1, 0), (1, 1), (1, 2), (3, 0), (2, 0)], Picked(5));
        Assert.Equal([(1, 0)], Picked(1));

        static Citation Of(int document, int index, double score) => new(document, "", "", index, "", score);
        IEnumerable<(int, int)> Picked(int most) =>
            DocumentSearch.Pick(found, most).Select(citation => (citation.DocumentId, citation.Index));
    }

    [Fact]
    public async Task The_background_service_of_another_installation_writes_documents_and_finds_them()
    {
        var user = await Assistants.UserAsync();
        var done = await Assistants.ExecutionAsync(user, ["Hello"]);
        var embedding = new JsonArray([.. Enumerable.Repeat(0.5, 1_536).Select(number => (JsonNode)number)]);
        var secret = AssistantsSite.Background;
        var document = (int)(await Assistants.OkAsync(secret, HttpMethod.Put, "/document",
            new() { ["name"] = "https://example.org", ["document_type"] = "webpage", ["user_id"] = user.Id }))["document_pk"]!;
        JsonObject chunk =
            new() { ["document_fk"] = document, ["chunk_index"] = 3, ["chunk_text"] = "Badgers dig setts.", ["embedding"] = embedding };

        var first = (int)(await Assistants.OkAsync(secret, HttpMethod.Put, "/document_chunk", chunk))["document_chunk_pk"]!;
        Assert.Equal(first, (int)(await Assistants.OkAsync(secret, HttpMethod.Put, "/document_chunk", chunk))["document_chunk_pk"]!);
        await Assistants.OkAsync(secret, HttpMethod.Post, "/document_chunk",
            new() { ["chunk_pk"] = first, ["chunk_text"] = "Badgers dig long setts.", ["embedding"] = embedding.DeepClone() });
        await Assistants.OkAsync(
            secret, HttpMethod.Post, "/document", new() { ["document_pk"] = document, ["update_date"] = "2026-01-02T03:04:05+00:00" });
        await Assistants.Host.RunJobsAsync();

        var found = await Assistants.OkAsync(secret, HttpMethod.Get,
            $"/document_chunk?query=badgers&top_k=1&task_name_for_system=t&user_task_execution_pk={done.Execution}");
        Assert.Equal("""{"document_chunks":[{"text":"Badgers dig long setts.","source":"https://example.org"}]}""", found.ToJsonString());
        Assert.Equal("demo/demo",
            await Assistants.ValueAsync<string>("select embedding_model from assistants.document_chunks where id = $1", first));

        Assert.Equal(
            "403 Authentication error : Wrong secret", await Assistants.StatusAsync("wrong", HttpMethod.Put, "/document_chunk", chunk));
        Assert.Equal("400 Missing key 'embedding' in json", await Assistants.StatusAsync(
            secret, HttpMethod.Put, "/document_chunk", new() { ["document_fk"] = document, ["chunk_index"] = 0, ["chunk_text"] = "x" }));
        Assert.Equal("404 Chunk not found", await Assistants.StatusAsync(secret, HttpMethod.Post, "/document_chunk",
            new() { ["chunk_pk"] = 1_000_000, ["chunk_text"] = "x", ["embedding"] = embedding.DeepClone() }));
        Assert.Equal("404 Document not found", await Assistants.StatusAsync(
            secret, HttpMethod.Post, "/document", new() { ["document_pk"] = 1_000_000, ["update_date"] = "2026-01-02T03:04:05Z" }));

        // As the original's client sends it: a form that is called JSON.
        using var form = new StringContent($"datetime=2026-01-01&chunk_pk={first}", Encoding.UTF8, "application/json");
        Assert.Equal(200, (await Assistants.SendAsync(secret, HttpMethod.Delete, "/document_chunk", form)).Status);
        Assert.Equal("404 Chunk not found", await Assistants.StatusAsync(secret, HttpMethod.Delete, $"/document_chunk?chunk_pk={first}"));
        Assert.Empty(await site.SearchAsync(user, "badgers"));
    }

    [Fact]
    public async Task Descriptions_of_the_user_are_listed_among_his_documents()
    {
        var user = await Assistants.UserAsync();
        await Assistants.OkAsync(user.Token, HttpMethod.Post, "/resource",
            new() { ["document_pk"] = "company_description", ["edition"] = "They make bicycles." });
        await Assistants.OkAsync(
            user.Token, HttpMethod.Post, "/resource", new() { ["document_pk"] = "user_description", ["edition"] = "She rides them." });

        var listed = (await Assistants.OkAsync(user.Token, HttpMethod.Get, "/resource?learned_by_mojo=true"))["documents"]!.AsArray();

        Assert.Equal(["user_description She rides them.", "company_description They make bicycles."],
            listed.Select(document => $"{document!["document_pk"]} {document["text"]}"));
    }

    [Fact]
    public async Task Vectors_are_of_length_one_near_for_like_texts_and_their_use_is_recorded()
    {
        var embeddings = Assistants.Host.Services.GetRequiredService<IEmbeddings>();
        var ct = TestContext.Current.CancellationToken;
        var model = embeddings.Pick(Organization.DefaultId, wanted: null);

        var reply = await embeddings.EmbedAsync(
            new(Organization.DefaultId, model!, "assistants.test", "r",
                [.. Enumerable.Repeat("the cat sat on the mat", 101), "a cat sat on a mat", "stock prices fell sharply"]), ct);

        Assert.Equal("demo/demo", reply.Model);
        Assert.Equal(103, reply.Vectors.Count);
        Assert.All(reply.Vectors, vector => Assert.Equal(1, vector.Sum(number => number * number), 1e-4));
        Assert.True(Near(0, 101) > Near(0, 102));
        Assert.True(reply.InputTokens > 0);

        float Near(int one, int other) => reply.Vectors[one].Zip(reply.Vectors[other], (a, b) => a * b).Sum();
    }

    private async Task<string> UploadAsync(Assisted user, string name, string type, byte[] bytes)
    {
        using var form = new MultipartFormDataContent { { new StringContent("2026-11-22T08:00:00Z"), "datetime" } };
        var file = new ByteArrayContent(bytes);
        file.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        form.Add(file, "file", name);
        var (status, body) = await Assistants.SendAsync(user.Token, HttpMethod.Put, "/resource", form);
        return $"{status} {body?["error"]}";
    }

    private static byte[] Pdf(byte[] content, string filter = "")
    {
        using var stream = new MemoryStream();
        Write("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n");
        Write("3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj\n");
        Write($"4 0 obj<</Length {content.Length}{filter}>>stream\n");
        stream.Write(content);
        Write("\nendstream endobj\n5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n");
        return stream.ToArray();

        void Write(string text) => stream.Write(Encoding.ASCII.GetBytes(text));
    }

    private static byte[] Deflated(string line, int times)
    {
        using var stream = new MemoryStream();
        using (var packed = new ZLibStream(stream, CompressionLevel.Fastest, leaveOpen: true))
        {
            var lines = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(line, 1_000)));
            for (var written = 0; written < times; written += 1_000)
            {
                packed.Write(lines);
            }
        }
        return stream.ToArray();
    }

    private static string Deep(string tag) => string.Concat(Enumerable.Repeat(tag, 200_000));

    /// <summary>With a part that unpacks to more than a document may have.</summary>
    private static byte[] Filled(byte[] docx)
    {
        using var stream = new MemoryStream();
        stream.Write(docx);
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Update, leaveOpen: true))
        using (var filler = zip.CreateEntry("docProps/filler.xml").Open())
        {
            filler.Write(new byte[20 << 20]);
        }
        return stream.ToArray();
    }

    private static byte[] Docx(params string[] paragraphs)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add(zip, "[Content_Types].xml",
                """<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>""");
            Add(zip, "_rels/.rels",
                """<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>""");
            var body = string.Concat(paragraphs.Select(text => $"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"));
            Add(zip, "word/document.xml",
                $"""<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{body}</w:body></w:document>""");
        }
        return stream.ToArray();

        static void Add(ZipArchive zip, string name, string text)
        {
            using var writer = new StreamWriter(zip.CreateEntry(name).Open());
            writer.Write(text);
        }
    }
}
