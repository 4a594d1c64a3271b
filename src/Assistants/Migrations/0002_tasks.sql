-- What every installation begins with: six tasks in three languages, and a product that every new user has for nothing.
insert into assistants.tasks (type, name_for_system, icon, definition_for_system, final_instruction, output_format_instruction_title,
  output_format_instruction_draft, output_text_type_id)
select 'instruct', made.name, made.icon, made.definition, made.instruction, made.title, made.draft, kind.id
from (values
  ('prepare_meeting_minutes', '📝', 'meeting_minutes',
    'The user had a meeting and tells what was said, in notes or dictated. Minutes of it are to be written: who took part, what was discussed, what was decided, who does what until when.',
    'Write the minutes. Keep to what the user told; leave out what he did not mention.',
    'Minutes - subject of the meeting - date', 'Minutes with short sections: participants, discussion, decisions, next steps.'),
  ('follow-up_email', '✉️', 'email',
    'The user met or called somebody and wants to write to him afterwards. A follow-up e-mail is to be written that sums up what both agreed and names the next step.',
    'Write the e-mail in the user''s name. It is short, friendly and ends with the next step.',
    'Subject of the e-mail', 'Body of the e-mail, from the greeting to the user''s name.'),
  ('structure_ideas_into_doc', '🗂️', 'document',
    'The user has ideas in no order. They are to become a document with a clear structure that loses none of them.',
    'Order the ideas under headings, from the most important to the least. Add no ideas of your own.',
    'Subject of the document', 'Document with headings and short paragraphs.'),
  ('prepare_linkedin_post', '📣', 'document',
    'The user wants to publish something in his professional network. A post is to be written that says one thing well.',
    'Write the post in the first person: a first line that makes one want to read on, short paragraphs, at most 1300 characters, at most three hashtags.',
    'What the post is about', 'Text of the post.'),
  ('create_one_minute_pitch', '🎤', 'document',
    'The user has to present something in one minute. A pitch is to be written that he can speak.',
    'Write about 150 words to be spoken: the problem, what the user offers, why it matters to whoever listens, what he asks for.',
    'What is presented', 'Text of the pitch, to be spoken.'),
  ('general_assistance', '💬', 'document',
    'The user wants help with something for which there is no other task. Help him with it, and write what he needs.',
    'Help the user. If what he needs is a text, write it.',
    'What the text is about', 'The text that the user needs.')
) as made (name, icon, text_type, definition, instruction, title, draft)
join assistants.text_types kind on kind.name = made.text_type;

insert into assistants.task_texts (task_id, language_code, name_for_user, definition_for_user, json_input)
select task.id, made.language, made.name, made.definition, jsonb_build_array(jsonb_build_object('type', 'text_area', 'input_name', made.input,
  'description_for_user', made.asked, 'description_for_system', made.meant, 'placeholder', made.placeholder))
from (values
  ('prepare_meeting_minutes', 'en', 'Meeting minutes', 'Turn what was said in a meeting into minutes',
    'meeting_report', 'what was said in the meeting', 'What was said in the meeting?', 'Who was there, what was discussed, what was decided…'),
  ('prepare_meeting_minutes', 'fr', 'Compte rendu de réunion', 'Transformer une réunion en compte rendu',
    'meeting_report', 'what was said in the meeting', 'Qu''est-ce qui a été dit pendant la réunion ?', 'Qui était là, de quoi avez-vous parlé, qu''avez-vous décidé…'),
  ('prepare_meeting_minutes', 'es', 'Acta de reunión', 'Convertir una reunión en un acta',
    'meeting_report', 'what was said in the meeting', '¿Qué se dijo en la reunión?', 'Quién estaba, de qué se habló, qué se decidió…'),
  ('follow-up_email', 'en', 'Follow-up e-mail', 'Write to somebody after you have met',
    'meeting_summary', 'whom the user met and what they agreed', 'Whom did you meet, and what did you agree?', 'I met … We agreed that …'),
  ('follow-up_email', 'fr', 'E-mail de suivi', 'Écrire à quelqu''un après un rendez-vous',
    'meeting_summary', 'whom the user met and what they agreed', 'Qui avez-vous rencontré, et qu''avez-vous convenu ?', 'J''ai rencontré … Nous avons convenu que …'),
  ('follow-up_email', 'es', 'Correo de seguimiento', 'Escribir a alguien después de una reunión',
    'meeting_summary', 'whom the user met and what they agreed', '¿Con quién se reunió y qué acordaron?', 'Me reuní con … Acordamos que …'),
  ('structure_ideas_into_doc', 'en', 'Structured document', 'Bring loose ideas into the order of a document',
    'ideas', 'the user''s ideas in no order', 'What is on your mind?', 'All that comes to mind, in any order'),
  ('structure_ideas_into_doc', 'fr', 'Document structuré', 'Mettre des idées en ordre dans un document',
    'ideas', 'the user''s ideas in no order', 'Qu''avez-vous en tête ?', 'Tout ce qui vous vient, dans n''importe quel ordre'),
  ('structure_ideas_into_doc', 'es', 'Documento estructurado', 'Ordenar ideas sueltas en un documento',
    'ideas', 'the user''s ideas in no order', '¿Qué tiene en mente?', 'Todo lo que se le ocurra, en cualquier orden'),
  ('prepare_linkedin_post', 'en', 'LinkedIn post', 'Write a post for your professional network',
    'post_subject', 'what the post is about and whom it is for', 'What is the post about, and whom is it for?', 'I would like to tell …'),
  ('prepare_linkedin_post', 'fr', 'Publication LinkedIn', 'Écrire une publication pour votre réseau professionnel',
    'post_subject', 'what the post is about and whom it is for', 'De quoi parle la publication, et à qui s''adresse-t-elle ?', 'J''aimerais raconter …'),
  ('prepare_linkedin_post', 'es', 'Publicación de LinkedIn', 'Escribir una publicación para su red profesional',
    'post_subject', 'what the post is about and whom it is for', '¿De qué trata la publicación y a quién se dirige?', 'Me gustaría contar …'),
  ('create_one_minute_pitch', 'en', 'One-minute pitch', 'Present something in one minute',
    'pitch_subject', 'what is presented and to whom', 'What do you want to present, and to whom?', 'Our product …, in front of …'),
  ('create_one_minute_pitch', 'fr', 'Pitch d''une minute', 'Présenter quelque chose en une minute',
    'pitch_subject', 'what is presented and to whom', 'Que voulez-vous présenter, et à qui ?', 'Notre produit …, devant …'),
  ('create_one_minute_pitch', 'es', 'Presentación de un minuto', 'Presentar algo en un minuto',
    'pitch_subject', 'what is presented and to whom', '¿Qué quiere presentar y a quién?', 'Nuestro producto …, ante …'),
  ('general_assistance', 'en', 'General assistance', 'Ask for anything',
    'request', 'what the user wants', 'What can I do for you?', 'Help me to …'),
  ('general_assistance', 'fr', 'Assistance générale', 'Demander n''importe quoi',
    'request', 'what the user wants', 'Que puis-je faire pour vous ?', 'Aidez-moi à …'),
  ('general_assistance', 'es', 'Asistencia general', 'Pedir cualquier cosa',
    'request', 'what the user wants', '¿Qué puedo hacer por usted?', 'Ayúdeme a …')
) as made (task, language, name, definition, input, meant, asked, placeholder)
join assistants.tasks task on task.name_for_system = made.task;

insert into assistants.products (label, is_free) values ('free', true);
insert into assistants.product_tasks (product_id, task_id)
select product.id, task.id from assistants.products product cross join assistants.tasks task where product.label = 'free';

-- A task in steps: each is given what the one before it made.
create table assistants.workflow_steps (
  id integer generated always as identity primary key,
  task_id integer not null references assistants.tasks (id) on delete cascade,
  rank integer not null,
  name_for_system text not null,
  definition_for_system text not null,
  unique (task_id, rank)
);

create table assistants.workflow_step_texts (
  workflow_step_id integer not null references assistants.workflow_steps (id) on delete cascade,
  language_code varchar(2) not null,
  name_for_user text not null,
  definition_for_user text not null,
  primary key (workflow_step_id, language_code)
);

create table assistants.workflow_step_executions (
  id integer generated always as identity primary key,
  task_execution_id integer not null references assistants.task_executions (id) on delete cascade,
  workflow_step_id integer not null references assistants.workflow_steps (id) on delete cascade,
  parameter jsonb not null,
  -- Null until it is done.
  result jsonb,
  -- {"datetime", "message"}: it never got to a result.
  error_status jsonb,
  created_at timestamptz not null default now(),
  ended_at timestamptz
);
create index workflow_step_executions_in_order on assistants.workflow_step_executions (task_execution_id, id);
create index workflow_step_executions_open on assistants.workflow_step_executions (created_at, id) where result is null and error_status is null;

-- What a tool was asked for an execution, and found.
create table assistants.task_tool_executions (
  id integer generated always as identity primary key,
  task_execution_id integer not null references assistants.task_executions (id) on delete cascade,
  tool_name text not null,
  created_at timestamptz not null default now()
);
create index task_tool_executions_by_execution on assistants.task_tool_executions (task_execution_id);

create table assistants.task_tool_queries (
  id integer generated always as identity primary key,
  task_tool_execution_id integer not null references assistants.task_tool_executions (id) on delete cascade,
  query jsonb not null,
  result jsonb,
  created_at timestamptz not null default now()
);
create index task_tool_queries_by_execution on assistants.task_tool_queries (task_tool_execution_id);

-- A product may allow so many executions; those of a purchase are counted.
create index task_executions_by_purchase on assistants.task_executions (purchase_id) where purchase_id is not null;

-- The newest message of the user that an answer of the assistant knew: whatever is newer waits for one.
alter table assistants.messages add answered_id integer;
create index messages_answered on assistants.messages (session_id, answered_id desc) where answered_id is not null;
create index messages_of_users on assistants.messages (session_id, id desc) where sender = 'user';
