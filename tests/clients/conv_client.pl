#!/usr/bin/env perl
# layerd from Perl, with its core modules alone: perl conv_client.pl
# SPDX-License-Identifier: MIT
use strict;
use warnings;
use HTTP::Tiny;
use JSON::PP;

my $url  = $ENV{LAYERD_URL} // 'http://127.0.0.1:8080';
my $http = HTTP::Tiny->new;
my $json = JSON::PP->new->canonical;

# The answer, and the object that its body is
sub post {
    my ($path, $fields) = @_;
    my $reply = $http->post("$url$path",
        { content => encode_json($fields), headers => { 'Content-Type' => 'application/json' } });
    return ($reply, eval { decode_json($reply->{content}) } // {});
}

# A tensor whose bytes follow the JSON
sub tensor {
    my ($rows, $columns) = @_;
    return { shape => [ $rows, $columns ], datatype => 'FP32', parameters => { binary_data_size => 4 * $rows * $columns } };
}

sub check {
    my ($what, $good, $seen) = @_;
    print $good ? 'ok' : 'FAIL', " $what: ", ref $seen ? $json->encode($seen) : $seen // 'nothing', "\n";
    exit 1 unless $good;
}

# 1. Is it ready?
my $reply = $http->get("$url/v2/health/ready");
check('ready', $reply->{status} == 200, $reply->{status});

# 2. Tensors as nested JSON arrays
my @lecture = (input => [ [ 1, 2, 3 ], [ 4, 5, 6 ], [ 7, 8, 9 ] ], weight => [ [ 1, 2 ], [ 3, 4 ] ]);
my (undef, $answer) = post('/v1/conv', {@lecture});
check('conv, JSON', $json->encode($answer->{output} // []) eq '[[37,47],[67,77]]', $answer->{output});

# 3. Tensors as bytes: little-endian floats behind the JSON, whose length a header gives, both ways
my $text = $json->encode({ input => tensor(3, 3), weight => tensor(2, 2) }); # sorted: the input's bytes come first
$reply = $http->post("$url/v1/conv", { content => $text . pack('f<*', 1 .. 9, 1 .. 4), headers =>
    { 'Content-Type' => 'application/octet-stream', 'Inference-Header-Content-Length' => length $text } });
my @output = unpack 'f<*', substr $reply->{content}, $reply->{headers}{'inference-header-content-length'} // 0;
check('conv, binary', "@output" eq '37 47 67 77', "@output");

# 4. Initial weights: the same seed gives the same
my %request = (method => 'xavier_uniform', shape => [ 2, 3 ], seed => 1);
my (undef, $first) = post('/v1/initialize', \%request);
my (undef, $again) = post('/v1/initialize', \%request);
my @weights = map { @$_ } @{ $first->{weight} // [] };
check('initialize', @weights == 6 && $json->encode($first->{weight}) eq $json->encode($again->{weight})
    && !grep({ abs > $first->{bound} } @weights), $first->{weight});

# 5. A mistake: it is "strides"
($reply, my $problem) = post('/v1/conv', { @lecture, stride => 2 });
check('a mistake', $reply->{status} == 422 && $reply->{headers}{'content-type'} eq 'application/problem+json'
    && $problem->{pointer} eq '/stride' && index($problem->{detail}, '"strides"') >= 0, $problem->{detail});
